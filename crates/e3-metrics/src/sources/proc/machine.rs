//! The machine as a whole.

use std::sync::Arc;

use procfs::net::{DeviceStatus, InterfaceDeviceStatus};
use procfs::{
    DiskStat, DiskStats, FromBufRead as _, FromBufReadSI as _, FromRead as _, KernelStats, LoadAverage,
    LocalSystemInfo,
};
use tokio::time::Instant;

use super::devices::Devices;
use super::text::{ProcText, numbers};
use crate::Readout;
use crate::counter::{Counter, Counters, to_f64};

/// The machine, as it was when it was last read.
pub(super) struct Machine {
    subject: Arc<str>,
    files: Files,
    cpu: Option<[u64; CPU_STATES.len()]>,
    context_switches: Counter,
    forks: Counter,
    swap: [Counter; 2],
    disks: Devices,
    disk: Counters<5>,
    interfaces: Devices,
    network: Counters<2>,
    loopback: Counters<2>,
}

/// The files that tell of it.
struct Files {
    stat: ProcText,
    loadavg: ProcText,
    meminfo: ProcText,
    vmstat: ProcText,
    diskstats: ProcText,
    interfaces: ProcText,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self {
            subject: "machine".into(),
            files: Files {
                stat: ProcText::new("stat"),
                loadavg: ProcText::new("loadavg"),
                meminfo: ProcText::new("meminfo"),
                vmstat: ProcText::new("vmstat"),
                diskstats: ProcText::new("diskstats"),
                interfaces: ProcText::new("self/net/dev"),
            },
            cpu: None,
            context_switches: Counter::default(),
            forks: Counter::default(),
            swap: Default::default(),
            disks: Devices::disks(),
            disk: Counters::default(),
            interfaces: Devices::interfaces(),
            network: Counters::default(),
            loopback: Counters::default(),
        }
    }

    /// Reads all there is; a file that cannot be read leaves a gap and a problem.
    pub(super) fn read(&mut self, at: Instant, readout: &mut Readout) {
        let kernel = |text: &[u8]| KernelStats::from_buf_read(text, &LocalSystemInfo);
        match self.files.stat.read(kernel) {
            Ok(stats) => self.add_kernel(at, &stats, readout),
            Err(problem) => readout.problems.push(problem),
        }
        match self.files.loadavg.read(|text| LoadAverage::from_read(text)) {
            Ok(load) => self.add_load(at, &load, readout),
            Err(problem) => readout.problems.push(problem),
        }
        match self.files.meminfo.read(|text| Ok(numbers(text, MEMORY))) {
            Ok(memory) => self.add_memory(at, memory, readout),
            Err(problem) => readout.problems.push(problem),
        }
        match self.files.vmstat.read(|text| Ok(numbers(text, ["pswpin", "pswpout"]))) {
            Ok(moved) => self.add_swapped(at, moved, readout),
            Err(problem) => readout.problems.push(problem),
        }
        match self.files.diskstats.read(|text| DiskStats::from_buf_read(text)) {
            Ok(DiskStats(disks)) => self.add_disks(at, &disks, readout),
            Err(problem) => readout.problems.push(problem),
        }
        match self.files.interfaces.read(|text| InterfaceDeviceStatus::from_buf_read(text)) {
            Ok(InterfaceDeviceStatus(interfaces)) => {
                self.add_network(at, &interfaces.into_values().collect::<Vec<_>>(), readout);
            }
            Err(problem) => readout.problems.push(problem),
        }
    }

    fn add_kernel(&mut self, at: Instant, stats: &KernelStats, readout: &mut Readout) {
        let place = (at, &self.subject);
        let cpu = &stats.total;
        let optional = [cpu.iowait, cpu.irq, cpu.softirq, cpu.steal].map(Option::unwrap_or_default);
        let [iowait, irq, softirq, steal] = optional;
        let now = [cpu.user, cpu.nice, cpu.system, cpu.idle, iowait, irq, softirq, steal];
        if let Some(shares) = self.cpu.replace(now).and_then(|before| shares(&before, &now)) {
            for (state, share) in CPU_STATES.iter().zip(shares) {
                readout.add(place, state, "%", Some(share));
            }
        }
        let switches = self.context_switches.rate(at, to_f64(stats.ctxt));
        readout.add(place, "switches/context", "1/s", switches);
        readout.add(place, "processes/forks", "1/s", self.forks.rate(at, to_f64(stats.processes)));
        readout.add(place, "processes/running", "", stats.procs_running.map(f64::from));
        readout.add(place, "processes/blocked", "", stats.procs_blocked.map(f64::from));
    }

    fn add_load(&self, at: Instant, load: &LoadAverage, readout: &mut Readout) {
        for (name, value) in [("load/1m", load.one), ("load/5m", load.five), ("load/15m", load.fifteen)] {
            readout.add((at, &self.subject), name, "", Some(f64::from(value)));
        }
    }

    /// Used is what is not available: what new work could not get without swapping. Source: free(1) of procps 4.
    fn add_memory(&self, at: Instant, memory: [Option<u64>; MEMORY.len()], readout: &mut Readout) {
        let [total, available, cached, buffers, swap_total, swap_free] =
            memory.map(|kilobytes| kilobytes.map(|kilobytes| kilobytes.saturating_mul(1024)));
        let less = |(whole, part): (u64, u64)| whole.saturating_sub(part);
        for (name, value) in [
            ("memory/used", total.zip(available).map(less)),
            ("memory/available", available),
            ("memory/cached", cached),
            ("memory/buffers", buffers),
            ("swap/used", swap_total.zip(swap_free).map(less)),
        ] {
            readout.add((at, &self.subject), name, "bytes", value.map(to_f64));
        }
    }

    fn add_swapped(&mut self, at: Instant, moved: [Option<u64>; 2], readout: &mut Readout) {
        for ((counter, name), pages) in self.swap.iter_mut().zip(["swap/in", "swap/out"]).zip(moved) {
            let rate = pages.and_then(|pages| counter.rate(at, to_f64(pages) * to_f64(procfs::page_size())));
            readout.add((at, &self.subject), name, "bytes/s", rate);
        }
    }

    fn add_disks(&mut self, at: Instant, disks: &[DiskStat], readout: &mut Readout) {
        let hardware = disks.iter().filter(|disk| self.disks.is_hardware(&disk.name));
        let counted = hardware.map(|disk| {
            let bytes = |sectors| to_f64(sectors) * SECTOR;
            // Milliseconds per second are tenths of a per cent.
            let busy = to_f64(disk.time_in_progress) / 10.0;
            let values = [
                bytes(disk.sectors_read),
                bytes(disk.sectors_written),
                to_f64(disk.reads),
                to_f64(disk.writes),
                busy,
            ];
            (disk.name.as_str(), values)
        });
        for ((name, unit), rate) in DISK.into_iter().zip(self.disk.rates(at, counted)) {
            readout.add((at, &self.subject), name, unit, rate);
        }
    }

    /// Where no interface is hardware, as in a container, all but loopback count.
    fn add_network(&mut self, at: Instant, interfaces: &[DeviceStatus], readout: &mut Readout) {
        let (loopback, others): (Vec<_>, Vec<_>) =
            interfaces.iter().partition(|interface| interface.name == LOOPBACK);
        let hardware: Vec<_> =
            others.iter().copied().filter(|other| self.interfaces.is_hardware(&other.name)).collect();
        let others = if hardware.is_empty() { others } else { hardware };
        for (counters, interfaces, names) in [
            (&mut self.network, others, ["network/received", "network/sent"]),
            (&mut self.loopback, loopback, ["loopback/received", "loopback/sent"]),
        ] {
            let counted = interfaces.iter().map(|interface| {
                (interface.name.as_str(), [interface.recv_bytes, interface.sent_bytes].map(to_f64))
            });
            for (name, rate) in names.into_iter().zip(counters.rates(at, counted)) {
                readout.add((at, &self.subject), name, "bytes/s", rate);
            }
        }
    }
}

/// Returns what share of the time between two readings each state had, in per cent of all CPUs; together 100.
///
/// A state whose count has shrunk, which happens to idle and iowait, had none of it. Source: proc(5), on iowait.
fn shares(before: &[u64; CPU_STATES.len()], now: &[u64; CPU_STATES.len()]) -> Option<Vec<f64>> {
    let spent: Vec<u64> = now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before)).collect();
    let total: u64 = spent.iter().sum();
    (total > 0).then(|| spent.into_iter().map(|ticks| 100.0 * to_f64(ticks) / to_f64(total)).collect())
}

/// The states of a CPU; the time of guests is part of user and nice.
const CPU_STATES: [&str; 8] =
    ["cpu/user", "cpu/nice", "cpu/system", "cpu/idle", "cpu/iowait", "cpu/irq", "cpu/softirq", "cpu/steal"];
/// What of the machine's memory is told, in kB.
const MEMORY: [&str; 6] = ["MemTotal:", "MemAvailable:", "Cached:", "Buffers:", "SwapTotal:", "SwapFree:"];
const DISK: [(&str, &str); 5] = [
    ("disk/read", "bytes/s"),
    ("disk/write", "bytes/s"),
    ("disk/reads", "1/s"),
    ("disk/writes", "1/s"),
    ("disk/busy", "%"),
];
/// Source: Linux counts sectors of 512 bytes, whatever those of the device are.
const SECTOR: f64 = 512.0;
const LOOPBACK: &str = "lo";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn value(readout: &Readout, name: &str) -> Option<f64> {
        let mut found = readout.observations.iter().filter(|observation| &*observation.name == name);
        found.next().map(|observation| observation.value)
    }

    #[test]
    fn states_of_the_cpus_make_up_the_whole() {
        let before = [100, 0, 100, 1_000, 50, 0, 0, 0];
        let now = [150, 0, 120, 1_030, 40, 0, 0, 0];
        let shares = shares(&before, &now).unwrap();
        assert_eq!(
            shares,
            [50.0, 0.0, 20.0, 30.0, 0.0, 0.0, 0.0, 0.0],
            "iowait shrank and counts as nothing"
        );
        assert_eq!(super::shares(&now, &now), None, "no time has passed");
    }

    #[test]
    fn network_tells_loopback_from_the_others() {
        let text = |lo: u64, eth: u64| {
            format!(
                "Inter-|   Receive                                                |  Transmit\n \
                 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n\
                 lo: {lo} 1 0 0 0 0 0 0 {lo} 1 0 0 0 0 0 0\n\
                 none7: {eth} 1 0 0 0 0 0 0 {} 1 0 0 0 0 0 0\n",
                eth * 2
            )
        };
        let parsed = |lo, eth| -> Vec<DeviceStatus> {
            let read = InterfaceDeviceStatus::from_buf_read(text(lo, eth).as_bytes()).unwrap();
            read.0.into_values().collect()
        };
        let (mut machine, begun, mut readout) = (Machine::new(), Instant::now(), Readout::default());
        machine.add_network(begun, &parsed(1_000, 10), &mut readout);
        assert!(readout.observations.is_empty(), "a first look has no rates");
        machine.add_network(begun + Duration::from_secs(2), &parsed(3_000, 30), &mut readout);
        assert_eq!(value(&readout, "loopback/received"), Some(1_000.0));
        assert_eq!(value(&readout, "network/received"), Some(10.0));
        assert_eq!(value(&readout, "network/sent"), Some(20.0));
    }

    #[test]
    fn a_device_that_is_no_hardware_does_not_count() {
        let line = |name: &str| DiskStat::from_line(&format!("253 0 {name} 1 2 3 4 5 6 7 8 0 9 10")).unwrap();
        let (mut machine, mut readout) = (Machine::new(), Readout::default());
        for seconds in 0..2 {
            let at = Instant::now() + Duration::from_secs(seconds);
            machine.add_disks(at, &[line("no-such-disk"), line("loop0")], &mut readout);
        }
        assert!(readout.observations.is_empty());
    }
}
