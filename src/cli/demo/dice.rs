//! Chance that never changes: `SplitMix64`, written out, so that a seed means the same data set in every version.

/// A source of numbers.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The dice of one story of a data set: stories do not depend on how many there are.
    pub fn new(seed: u64, story: u64) -> Self {
        let mut dice = Self(seed);
        dice.0 ^= dice
            .roll()
            .wrapping_add(story.wrapping_mul(0xD1B5_4A32_D192_ED03));
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end` - 1.
    pub fn below(&mut self, end: u32) -> u32 {
        let wide = (self.roll() >> 32) * u64::from(end.max(1));
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    /// Does something happen that happens in so many of a hundred cases?
    pub fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        let last = u32::try_from(from.len()).unwrap_or(u32::MAX);
        from[self.below(last) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut dice = Dice::new(1, 2);
        let rolls: Vec<u32> = (0..6).map(|_| dice.below(1000)).collect();
        insta::assert_compact_debug_snapshot!(rolls, @"[804, 693, 327, 699, 494, 37]");
    }

    #[test]
    fn numbers_stay_below_their_end() {
        let mut dice = Dice::new(7, 7);
        assert!((0..1000).all(|_| dice.below(3) < 3));
        assert!((0..100).all(|_| dice.percent(100) && !dice.percent(0)));
    }
}
