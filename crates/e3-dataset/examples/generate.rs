//! Measures generation: `cargo run --release -p e3-dataset --example generate [REPOSITORIES] [COMMITS]`.
//!
//! Without numbers it makes what quickstart uses: 8 repositories of 50 to 1,000 commits.

use std::time::Instant;

use e3_model::{Generate, Seed};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the numbers are what it is for")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<u32>());
    let (repositories, fixed) = (numbers.next().transpose()?, numbers.next().transpose()?);
    let recipe = Generate {
        seed: Seed(1),
        projects: 3,
        repositories: repositories.unwrap_or(8),
        commits_min: fixed.unwrap_or(50),
        commits_max: fixed.unwrap_or(1000),
        users: 20,
    };
    let cache = tempfile::tempdir()?;
    let begun = Instant::now();
    let dataset = e3_dataset::generate("measured", &recipe, cache.path()).await?;
    let made = begun.elapsed();
    let begun = Instant::now();
    e3_dataset::generate("measured", &recipe, cache.path()).await?;
    let found = begun.elapsed();
    let (mut commits, mut bytes) = (0, 0);
    for repository in &dataset.repositories {
        let counted = std::process::Command::new("git")
            .arg("--git-dir")
            .arg(&repository.path)
            .args(["rev-list", "--all", "--count"])
            .output()?;
        commits += String::from_utf8(counted.stdout)?.trim().parse::<u32>()?;
        for pack in std::fs::read_dir(repository.path.join("objects/pack"))? {
            bytes += pack?.metadata()?.len();
        }
    }
    let rate = f64::from(commits) / made.as_secs_f64();
    println!("{} repositories, {commits} commits, {bytes} bytes of packs", dataset.repositories.len());
    println!(
        "made in {:.3} s ({rate:.0} commits/s), found again in {:.6} s",
        made.as_secs_f64(),
        found.as_secs_f64()
    );
    Ok(())
}
