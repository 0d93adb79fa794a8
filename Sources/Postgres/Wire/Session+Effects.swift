extension Session {
    /// The actions that follow after the locks are released: a caller resumed under a lock would run other code inside the lock.
    struct Effects {
        /// The actions that are rare.
        ///
        /// Without them, effects are small.
        private final class Rare {
            var overdue: [Overdue] = []
            var opened: Outcome<Void>?
            var copyProgress: CopyProgress?
            var copyStarted: CopyStart?
            var afterwards: (@Sendable () -> Void)?
        }

        private struct Overdue {
            let request: Request
            let error: PostgresError
        }

        private struct CopyProgress {
            let waiter: Waiter<Void>
            let outcome: Outcome<Void>
        }

        private struct CopyStart {
            let request: Request
            let rows: Rows
        }

        /// The requests with their final outcomes.
        private var finished = ShortList<Request>()
        private var rare: Rare?

        private var noted: Rare {
            mutating get {
                let noted = rare ?? Rare()
                rare = noted
                return noted
            }
        }

        /// Resumes the request's own caller, and not those that were joined to it.
        ///
        /// Thousands of callers can be overdue at once, so the list grows in its place.
        mutating func resume(_ request: Request, _ error: PostgresError) {
            noted.overdue.append(Overdue(request: request, error: error))
        }

        /// Resumes all callers of a request.
        mutating func finish(_ request: Request, _ outcome: Outcome<Rows>) {
            request.outcome = outcome
            finished.append(request)
        }

        /// Resumes the caller that starts a COPY.
        mutating func startCopy(_ request: Request, _ rows: Rows) {
            noted.copyStarted = CopyStart(request: request, rows: rows)
        }

        /// Resumes the caller that waits until COPY data has left.
        mutating func continueCopy(_ waiter: Waiter<Void>, _ outcome: Outcome<Void>) {
            noted.copyProgress = CopyProgress(waiter: waiter, outcome: outcome)
        }

        /// Reports that the connection is open, or that it could not be opened.
        mutating func open(_ outcome: Outcome<Void>) { noted.opened = outcome }

        /// Calls `body` after all callers were resumed.
        mutating func afterwards(_ body: @escaping @Sendable () -> Void) { noted.afterwards = body }

        /// Performs the actions.
        func perform(onOpen: @Sendable (Outcome<Void>) -> Void) {
            if let start = rare?.copyStarted { start.request.finish(.success(start.rows)) }
            for request in finished {
                if let outcome = request.outcome { request.finish(outcome) }
            }
            guard let rare else { return }
            for overdue in rare.overdue { overdue.request.resume(.failure(overdue.error)) }
            if let progress = rare.copyProgress { progress.waiter.finish(progress.outcome) }
            if let opened = rare.opened { onOpen(opened) }
            rare.afterwards?()
        }
    }
}
