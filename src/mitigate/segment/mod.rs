//! Segmentations that are fair as they are made.
