//! Measures generation: `cargo run --release -p e3-dataset --example generate [CACHE]`.
//!
//! It makes what quickstart uses: 16 repositories of 50 to 3,000 commits; they stay if a directory is named.

use std::time::Instant;

use e3_model::{Generate, Seed, Sizes};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the numbers are what it is for")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kept = std::env::args_os().nth(1).map(std::path::PathBuf::from);
    let recipe = Generate {
        seed: Seed(1),
        projects: 4,
        repositories: 16,
        commits_min: 50,
        commits_max: 3000,
        users: 20,
        sizes: Sizes::LogNormal,
        pull_requests: 64,
        assets_mb: 50,
    };
    let temporary = tempfile::tempdir()?;
    let cache = kept.as_deref().unwrap_or(temporary.path());
    let begun = Instant::now();
    let dataset = e3_dataset::generate("measured", &recipe, cache).await?;
    let made = begun.elapsed();
    let begun = Instant::now();
    e3_dataset::generate("measured", &recipe, cache).await?;
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
