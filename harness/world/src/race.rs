//! Waiting for whichever of two futures is done first, in a fixed order.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

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
pub async fn race<A: Future, B: Future>(first: A, second: B) -> Either<A::Output, B::Output> {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|context| {
        if let Poll::Ready(output) = first.as_mut().poll(context) {
            return Poll::Ready(Either::First(output));
        }
        match second.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Either::Second(output)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
