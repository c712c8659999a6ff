//! What is to be done to one content to make another of it.
//!
//! Source: gitformat-pack(5), section Deltified representation.

/// Returns the delta that makes `target` of `base` by what they begin and end with alike: the whole change where one
/// place of a tree changed.
pub(crate) fn delta(base: &[u8], target: &[u8]) -> Vec<u8> {
    let start = base.iter().zip(target).take_while(|(old, new)| old == new).count();
    let (old, new) = (base.get(start..).unwrap_or_default(), target.get(start..).unwrap_or_default());
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let inserted = new.get(..new.len() - end).unwrap_or_default();
    let mut delta = Vec::new();
    write_size(&mut delta, base.len());
    write_size(&mut delta, target.len());
    write_copy(&mut delta, 0, start);
    for piece in inserted.chunks(LONGEST_INSERT) {
        delta.extend(u8::try_from(piece.len()));
        delta.extend_from_slice(piece);
    }
    write_copy(&mut delta, base.len() - end, end);
    delta
}

fn write_size(delta: &mut Vec<u8>, mut size: usize) {
    while size > 0x7f {
        delta.push(lowest(size) | 0x80);
        size >>= 7;
    }
    delta.push(lowest(size));
}

/// Writes the copying of a range of the base; of offset and length only the bytes that are not zero are written, and
/// flags that say which.
fn write_copy(delta: &mut Vec<u8>, mut offset: usize, mut length: usize) {
    while length > 0 {
        let copied = length.min(LONGEST_COPY);
        let place = delta.len();
        delta.push(0);
        let mut flags = 0x80;
        let offset_bytes = offset.to_le_bytes().into_iter().take(4);
        for (bit, byte) in offset_bytes.chain(copied.to_le_bytes().into_iter().take(3)).enumerate() {
            if byte != 0 {
                flags |= 1 << bit;
                delta.push(byte);
            }
        }
        if let Some(first) = delta.get_mut(place) {
            *first = flags;
        }
        offset += copied;
        length -= copied;
    }
}

fn lowest(value: usize) -> u8 {
    value.to_le_bytes().first().copied().unwrap_or(0)
}

const LONGEST_INSERT: usize = 0x7f;
/// Where git's own deltas end a copy, too: version 2 packs once knew no longer one.
const LONGEST_COPY: usize = 0x1_0000 - 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pack_objects::apply;

    #[test]
    fn one_change_costs_only_itself() {
        let base = vec![7; 200_000];
        let mut target = base.clone();
        target.splice(100_000..100_020, [1; 20]);
        let delta = delta(&base, &target);
        assert!(delta.len() < 60, "{}", delta.len());
        assert_eq!(apply(&base, &delta), Some(target));
    }

    proptest! {
        #[test]
        fn what_a_delta_says_is_the_target(
            start: Vec<u8>, old: Vec<u8>, new in prop::collection::vec(any::<u8>(), 0..600), end: Vec<u8>
        ) {
            let base = [&start[..], &old, &end].concat();
            let target = [&start[..], &new, &end].concat();
            prop_assert_eq!(apply(&base, &delta(&base, &target)), Some(target));
        }
    }
}
