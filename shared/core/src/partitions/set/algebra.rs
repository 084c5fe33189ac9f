//! Union, intersection, difference and symmetric difference of sets.

use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, BitXor, BitXorAssign, Sub, SubAssign};

use super::PartitionSet;

macro_rules! operator {
    ($trait:ident, $method:ident, $assign:ident, $assign_method:ident, $op:tt, $assign_op:tt) => {
        impl $trait for &PartitionSet {
            type Output = PartitionSet;

            fn $method(self, other: Self) -> PartitionSet {
                PartitionSet(&self.0 $op &other.0)
            }
        }

        impl $assign<&PartitionSet> for PartitionSet {
            fn $assign_method(&mut self, other: &PartitionSet) {
                self.0 $assign_op &other.0;
            }
        }
    };
}

operator!(BitOr, bitor, BitOrAssign, bitor_assign, |, |=);
operator!(BitAnd, bitand, BitAndAssign, bitand_assign, &, &=);
operator!(BitXor, bitxor, BitXorAssign, bitxor_assign, ^, ^=);
operator!(Sub, sub, SubAssign, sub_assign, -, -=);
