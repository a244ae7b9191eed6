//! The deadlines of what was sent: durable before it leaves, so that a reply is late or in time whatever happened meanwhile.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_protocol::fleet::Lines;
use gauntlet_protocol::fleet::extension::task::{EndedBy, Report};
use gauntlet_protocol::fleet::extension::{Due, Moment};
use gauntlet_protocol::json;
use gauntlet_world::Host;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A dispatch that has a deadline, or follows one that has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    id: String,
    /// The context on which its reply comes; unknown until the peer has made one up.
    context: Option<String>,
    /// Nothing for one that has no deadline: it only keeps its place among the replies of its context.
    due: Option<Due>,
}

impl Sent {
    fn to_value(&self) -> Value {
        json!({ "id": self.id, "contextId": self.context, "due": self.due.as_ref().map(Due::to_value) })
    }
}

/// A longer file begins anew at a start, with what is still open.
const LONGEST_FILE: usize = 1024 * 1024;

/// What is known of open deadlines.
pub(crate) struct Deadlines {
    path: PathBuf,
    open: RefCell<Vec<Sent>>,
    /// One writer at a time. True: an append failed half way, and the next one begins with a line end.
    torn: Mutex<bool>,
    /// The name of the file is durable, which whoever made it may not have seen to.
    named: Cell<bool>,
    began: Instant,
    life: RefCell<Option<String>>,
}

/// What a reply is of.
pub(crate) struct Reply {
    /// The dispatch.
    pub(super) of: Option<String>,
    /// Whether it came after the deadline.
    pub(super) late: bool,
    /// Whether there is a deadline.
    pub(super) has_deadline: bool,
    /// Whether it was set before the runtime was started again.
    pub(super) earlier_life: bool,
}

impl Deadlines {
    /// Reads what an earlier life sent.
    pub(super) async fn open(host: &Host, path: PathBuf) -> io::Result<Self> {
        let content = host.disk().read_if_present(&path).await?.unwrap_or_default();
        let mut open = Vec::new();
        for (_, line) in Lines::new(&content) {
            if let Ok(entry) = json::parse("a deadline", line) {
                apply(&mut open, &entry);
            }
        }
        let mut torn = !Lines::new(&content).torn().is_empty();
        if content.len() > LONGEST_FILE {
            let kept: String = open.iter().map(|sent: &Sent| format!("{}\n", sent.to_value())).collect();
            host.disk().replace(&path, kept.as_bytes()).await?;
            torn = false;
        }
        let began = host.clock().now();
        let (named, life) = Default::default();
        Ok(Self { path, open: RefCell::new(open), torn: Mutex::new(torn), named, began, life })
    }

    /// Those of somebody who takes no replies.
    pub(super) fn untaken(host: &Host, path: PathBuf) -> Self {
        let (open, torn, named, life) = Default::default();
        Self { path, open, torn, named, began: host.clock().now(), life }
    }

    fn moment<T>(&self, host: &Host, look: impl FnOnce(Moment<'_>) -> T) -> T {
        let mut life = self.life.borrow_mut();
        let life = life.get_or_insert_with(|| host.entropy().uuid().to_string());
        let elapsed = host.clock().now() - self.began;
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        look(Moment { wall_ms: host.clock().wall().millis(), life, elapsed_ms })
    }

    /// Something is about to be sent, whose reply is due so long from now.
    pub(super) async fn sending(
        &self,
        host: &Host,
        id: &str,
        context: Option<&str>,
        left: Duration,
    ) -> io::Result<()> {
        let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let due = self.moment(host, |now| Due::after(left, now));
        let context = context.map(str::to_owned);
        self.note(host, Sent { id: id.to_owned(), context, due: Some(due) }.to_value()).await
    }

    /// Something without a deadline is about to be sent. It counts only behind one that has one.
    pub(super) async fn sending_without(&self, host: &Host, id: &str, context: &str) -> io::Result<()> {
        let follows = self.open.borrow().iter().any(|sent| sent.context.as_deref() == Some(context));
        if follows {
            let context = Some(context.to_owned());
            self.note(host, Sent { id: id.to_owned(), context, due: None }.to_value()).await
        } else {
            Ok(())
        }
    }

    /// The peer has made up this context.
    pub(super) async fn is_on(&self, host: &Host, id: &str, context: &str) -> io::Result<()> {
        let is_open = self.open.borrow().iter().any(|sent| sent.id == id && sent.context.is_none());
        if is_open { self.note(host, json!({ "id": id, "contextId": context })).await } else { Ok(()) }
    }

    /// Nothing more is to come of it.
    pub(super) async fn close(&self, host: &Host, id: &str) -> io::Result<()> {
        let is_open = self.open.borrow().iter().any(|sent| sent.id == id);
        if is_open { self.note(host, json!({ "id": id, "closed": true })).await } else { Ok(()) }
    }

    /// What a reply is of that comes now on a context. One that says so itself is believed; otherwise it is the oldest one open on
    /// that context, since receivers answer in order. What a deadline ended is no reply in time, whoever was faster.
    pub(super) fn judge(&self, host: &Host, context: &str, report: Option<&Report>) -> Reply {
        let open = self.open.borrow();
        let of = match report.and_then(|report| report.of.as_deref()) {
            Some(of) => open.iter().find(|sent| sent.id == of),
            None => open.iter().find(|sent| sent.context.as_deref() == Some(context)),
        };
        let ended = report.is_some_and(|report| report.ended_by == EndedBy::Deadline);
        let due = of.and_then(|sent| sent.due.as_ref());
        let (is_over, earlier_life) = due.map_or((false, false), |due| {
            self.moment(host, |now| (due.left(now).is_zero(), !due.is_of(now.life)))
        });
        let of = of.map(|sent| sent.id.clone());
        Reply { of, late: ended || is_over, has_deadline: due.is_some(), earlier_life }
    }

    async fn note(&self, host: &Host, entry: Value) -> io::Result<()> {
        let mut torn = self.torn.lock().await;
        let line = format!("{}{entry}\n", if *torn { "\n" } else { "" });
        let outcome = host.disk().append_durably(&self.path, line.as_bytes()).await;
        *torn = outcome.is_err();
        outcome?;
        if !self.named.get() {
            host.disk().sync_dir(self.path.parent().unwrap_or(Path::new("/"))).await?;
            self.named.set(true);
        }
        apply(&mut self.open.borrow_mut(), &entry);
        Ok(())
    }
}

fn apply(open: &mut Vec<Sent>, entry: &Value) {
    let Some(id) = entry.get("id").and_then(Value::as_str) else { return };
    let context = entry.get("contextId").and_then(Value::as_str).map(str::to_owned);
    match (entry.get("closed"), entry.get("due")) {
        (Some(_), _) => open.retain(|sent| sent.id != id),
        (None, Some(due)) => {
            open.push(Sent { id: id.to_owned(), context, due: Due::from_value(due) });
        }
        (None, None) => {
            open.iter_mut().filter(|sent| sent.id == id).for_each(|sent| sent.context = context.clone());
        }
    }
}
