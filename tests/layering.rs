//! The arrows of the house: a folder never imports one above it.
