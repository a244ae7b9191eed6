//! Waiting for whichever of two futures is done first, in a fixed order.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// Which of two raced futures was done first, with its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first argument was done first, or both were done at the same poll.
    First(A),
    /// The second argument was done first.
    Second(B),
}

/// Waits for the first of two futures. The first argument is always polled first and wins ties, so that the same cell
/// takes the same branch every time (`tokio::select!` draws its order at random and is banned in cell code). The loser is
/// dropped.
pub fn race<A: Future, B: Future>(first: A, second: B) -> impl Future<Output = Either<A::Output, B::Output>> {
    Race { first, second }
}

pin_project! {
    // An async function would hold its arguments twice, and again in every race around it.
    struct Race<A, B> {
        #[pin]
        first: A,
        #[pin]
        second: B,
    }
}

impl<A: Future, B: Future> Future for Race<A, B> {
    type Output = Either<A::Output, B::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.first.poll(context) {
            return Poll::Ready(Either::First(output));
        }
        this.second.poll(context).map(Either::Second)
    }
}
