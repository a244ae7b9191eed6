//! The result model, its published JSON Schema, and the renderers.
