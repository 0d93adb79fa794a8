extension PostgresPool {
    /// The counters of a pool since its creation, for metrics.
    ///
    /// Read the counters regularly, and report their differences. ``PostgresPool/usage`` has the state of the moment.
    public struct Statistics: Sendable, Equatable {
        /// The number of callers that had to wait for a connection.
        public var waits = 0
        /// The number of callers that waited too long, and got `poolTimedOut`.
        public var timeouts = 0
        /// The number of attempts to open a connection.
        public var connectionAttempts = 0
        /// The number of failed attempts, without the cancelled ones.
        public var failedAttempts = 0
    }
}
