//! What the runtime is about to do, as it passes an injection point. Without a quirk it comes back as it went in.

use gauntlet_world::Host;
use gauntlet_world::injection::{Injector, Point};
use serde_json::Value;

use super::Fleet;

/// What became of an event at its point.
pub(crate) struct Decided(Option<Value>);

impl Fleet {
    /// Passes what is about to be done through an injection point. What the event means is said there.
    pub(crate) async fn decide(&self, point: Point, event: Value) -> Decided {
        Decided(self.settings.injector.pass(&self.host, point, event).await.first())
    }
}

impl Decided {
    /// Passes what is about to be done through an injection point of a part that has an injector of its own.
    pub(crate) async fn pass(injector: &Injector, host: &Host, point: Point, event: Value) -> Self {
        Self(injector.pass(host, point, event).await.first())
    }

    /// Whether it does not take place at all.
    pub(crate) fn is_omitted(&self) -> bool {
        self.0.is_none()
    }

    /// A member; null when it is not there.
    pub(crate) fn value(&self, name: &str) -> &Value {
        self.0.as_ref().and_then(|event| event.get(name)).unwrap_or(&Value::Null)
    }

    /// Whether a member is true.
    pub(crate) fn yes(&self, name: &str) -> bool {
        self.value(name) == &Value::Bool(true)
    }

    /// A member that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).as_str()
    }

    /// A member that is a number of the kind that is asked for.
    pub(crate) fn number<N: TryFrom<u64>>(&self, name: &str) -> Option<N> {
        self.value(name).as_u64().and_then(|number| N::try_from(number).ok())
    }
}
