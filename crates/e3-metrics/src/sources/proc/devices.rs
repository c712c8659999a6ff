//! Which devices are hardware: the others show the same bytes a second time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is known of the devices of one class, by their names.
pub(super) struct Devices {
    class: PathBuf,
    known: BTreeMap<String, bool>,
}

impl Devices {
    /// Whole disks: partitions, loop and memory devices, device mapper and software RAID have no hardware of their own.
    pub(super) fn disks() -> Self {
        Self::of(Path::new("/sys/block"))
    }

    /// Network interfaces: bridges, bonds and the ends of containers have no hardware of their own.
    pub(super) fn interfaces() -> Self {
        Self::of(Path::new("/sys/class/net"))
    }

    fn of(class: &Path) -> Self {
        Self { class: class.to_owned(), known: BTreeMap::new() }
    }

    /// Returns whether the device is hardware, or what a virtual machine takes for it.
    ///
    /// Source: sysfs(5); `device` leads to the hardware behind a device. In `/sys/block` a slash of a name is `!`.
    pub(super) fn is_hardware(&mut self, name: &str) -> bool {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let is_hardware = self.class.join(name.replace('/', "!")).join("device").exists();
        self.known.insert(name.to_owned(), is_hardware);
        is_hardware
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_hardware_counts() {
        let class = tempfile::tempdir().unwrap();
        for device in ["vda/device", "cciss!c0d0/device", "loop0", "dm-0"] {
            std::fs::create_dir_all(class.path().join(device)).unwrap();
        }
        let mut devices = Devices::of(class.path());
        for (name, expected) in [
            ("vda", true),
            ("cciss/c0d0", true),
            ("vda1", false), // a partition is no entry of its own in /sys/block
            ("loop0", false),
            ("dm-0", false),
        ] {
            assert_eq!(devices.is_hardware(name), expected, "{name}");
            assert_eq!(devices.is_hardware(name), expected, "{name}, as remembered");
        }
    }
}
