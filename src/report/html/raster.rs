//! A chart as a picture of pixels.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::error::{Error, Result};
use crate::report::Report;

/// The most pixels in one direction.
const MOST: f32 = 16_384.0;

impl Report {
    /// One chart as a PNG file, `scale` times as large as the SVG is in pixels (2 is sharp on most screens). Needs the feature
    /// `png`.
    ///
    /// Text is drawn in a font of this machine: the first sans-serif one that it has. Another machine may have another, and
    /// signs that no font here has are left out; [`to_svg`](Self::to_svg) depends on nothing.
    ///
    /// # Errors
    /// As [`to_svg`](Self::to_svg); [`Error::BadSetting`] for a scale that is not above 0, or that makes more than 16,384
    /// pixels of a side; [`Error::Nothing`] where the machine has no font.
    pub fn to_png(&self, chart: &str, scale: f32) -> Result<Vec<u8>> {
        let text = self.to_svg(chart)?;
        let mut options = Options::default();
        let fonts = options.fontdb_mut();
        fonts.load_system_fonts();
        let family = |name: &str| fonts.faces().any(|f| f.families.iter().any(|(family, _)| family == name));
        let known = ["Noto Sans", "DejaVu Sans", "Arial", "Helvetica", "Segoe UI", "Liberation Sans"];
        let first = known.into_iter().find(|name| family(name)).map(String::from);
        let any = || fonts.faces().next().and_then(|f| f.families.first().map(|(family, _)| family.clone()));
        let Some(family) = first.or_else(any) else {
            let problem = "a picture needs a font for its text, and none is installed";
            return Err(Error::Nothing { problem, place: Default::default() });
        };
        fonts.set_sans_serif_family(family.clone());
        options.font_family = family;
        let bad = |e: &dyn std::fmt::Display| Error::BadReport { problem: format!("its chart cannot be drawn: {e}") };
        let tree = Tree::from_str(&text, &options).map_err(|e| bad(&e))?;
        let [width, height] = [tree.size().width(), tree.size().height()].map(|side| (side * scale).round());
        if !(1.0..=MOST).contains(&width) || !(1.0..=MOST).contains(&height) {
            return Err(Error::setting("the scale of a picture", scale, "above 0, and at most 16,384 pixels a side"));
        }
        let mut pixels = Pixmap::new(width as u32, height as u32).ok_or_else(|| bad(&"it is too large"))?;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
        pixels.encode_png().map_err(|e| bad(&e))
    }
}
