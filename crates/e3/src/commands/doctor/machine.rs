//! What the machine has.

use e3_model::quantity;
use rustix::process::Resource;

use super::Check;

/// Every client has a connection or two, and githost one for each of them; e3 has raised its own limit as far as it may.
pub(super) fn open_files() -> Check {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let Some(soft) = limit.current else { return Check::ok("open files", "no limit") };
    let detail = format!("{} at once", quantity::count(soft));
    let hint = "raise the hard limit (`ulimit -Hn`) in /etc/security/limits.conf, and log in again";
    match soft {
        0..TOO_FEW_FILES => Check::problem("open files", detail, hint),
        TOO_FEW_FILES..FEW_FILES => Check::warning("open files", detail, hint),
        _ => Check::ok("open files", detail),
    }
}

/// Clients and the system under test share them, unless the system is elsewhere.
pub(super) fn processors() -> Check {
    match std::thread::available_parallelism().map(std::num::NonZero::get) {
        Ok(1) => Check::warning(
            "CPUs",
            "1 for clients and systems under test",
            "compare threads only with few clients here, or take a larger machine",
        ),
        Ok(count) => Check::ok("CPUs", format!("{count}")),
        Err(error) => Check::warning("CPUs", format!("their number is unknown: {error}"), "see `nproc`"),
    }
}

/// Source: proc_meminfo(5).
pub(super) fn memory() -> Check {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    let (Some(available), Some(all)) = (value("MemAvailable"), value("MemTotal")) else {
        return Check::warning("memory", "unknown", "see `free`");
    };
    let detail = format!("{} of {} available", quantity::bytes(available), quantity::bytes(all));
    match available {
        0..TOO_LITTLE_MEMORY => Check::problem("memory", detail, "stop what else runs"),
        TOO_LITTLE_MEMORY..LITTLE_MEMORY => {
            Check::warning("memory", detail, "many clients and large repositories need more")
        }
        _ => Check::ok("memory", detail),
    }
}

/// The honesty meter reads them, and the teardown finds processes in them.
pub(super) fn processes() -> Check {
    for file in ["/proc/self/stat", "/proc/self/environ", "/proc/stat", "/proc/sys/kernel/random/boot_id"] {
        if let Err(error) = std::fs::read(file) {
            let hint = "mount /proc: without it e3 neither measures itself nor finds what it started";
            return Check::problem("/proc", format!("{file} cannot be read: {error}"), hint);
        }
    }
    Check::ok("/proc", "readable")
}

/// What else runs takes time from clients and systems under test.
///
/// Source: proc_loadavg(5).
pub(super) fn quiet() -> Check {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let Some(load) = text.split_whitespace().next().and_then(|load| load.parse::<f64>().ok()) else {
        return Check::warning("other load", "unknown", "see `uptime`");
    };
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let detail = format!("{load:.2} processes wanted a CPU over the last minute");
    let few = u32::try_from(processors).map_or(f64::MAX, f64::from) / 2.0;
    if load > few {
        return Check::warning("other load", detail, "wait, or stop it: it changes every number of a run");
    }
    Check::ok("other load", detail)
}

const TOO_FEW_FILES: u64 = 256;
const FEW_FILES: u64 = 4096;
const TOO_LITTLE_MEMORY: u64 = 300_000_000;
const LITTLE_MEMORY: u64 = 2_000_000_000;
