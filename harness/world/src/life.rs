//! The life of one incarnation of a process: whether it still runs, its tasks, and what dies with it.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use tokio::task::AbortHandle;

/// Something that must be let go when its process dies: a connection, a listener, a standard stream.
pub(crate) trait Mortal {
    /// Closes it as the operating system closes what a dead process held.
    fn die(&self);
}

/// One incarnation of a process.
#[derive(Default)]
pub(crate) struct Life {
    dead: Cell<bool>,
    tasks: RefCell<Vec<AbortHandle>>,
    held: RefCell<Vec<Weak<dyn Mortal>>>,
}

impl Life {
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.get()
    }

    /// Never completes once the incarnation is dead, so that no code of a dead process has an effect, not even from `Drop`.
    pub(crate) async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn own_task(&self, task: AbortHandle) {
        if self.is_dead() {
            task.abort();
            return;
        }
        let mut tasks = self.tasks.borrow_mut();
        if tasks.len() >= 32 && tasks.len().is_power_of_two() {
            tasks.retain(|task| !task.is_finished());
        }
        tasks.push(task);
    }

    pub(crate) fn hold(&self, thing: &Rc<impl Mortal + 'static>) {
        let thing: Rc<dyn Mortal> = thing.clone();
        let mut held = self.held.borrow_mut();
        if held.len() >= 32 && held.len().is_power_of_two() {
            held.retain(|thing| thing.strong_count() > 0);
        }
        held.push(Rc::downgrade(&thing));
    }

    /// Ends the incarnation: first the flag, so that nothing it still does has an effect, then what it held, then its tasks.
    pub(crate) fn end(&self) {
        if self.dead.replace(true) {
            return;
        }
        let held = std::mem::take(&mut *self.held.borrow_mut());
        for thing in held.iter().filter_map(Weak::upgrade) {
            thing.die();
        }
        for task in self.tasks.borrow_mut().drain(..) {
            task.abort();
        }
    }
}
