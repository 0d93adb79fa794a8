extension PostgresPipeline {
    /// The counters of a pipeline since its creation, for metrics.
    ///
    /// Read the counters regularly, and report their differences. Reading takes the locks of the connections for a moment.
    public struct Statistics: Sendable, Equatable {
        /// The number of look-ups that were accepted.
        public var lookUps = 0
        /// The number of look-ups that were joined to an identical one, and so were not sent.
        public var joined = 0
        /// The number of flushes with statements.
        ///
        /// Sent look-ups divided by flushes is the average size of a batch.
        public var flushes = 0
        /// The number of statements that were sent again, after the failure of a neighbor or a lost preparation.
        public var repeated = 0
        /// The number of attempts to open a connection.
        public var connectionAttempts = 0

        static func += (left: inout Statistics, right: Statistics) {
            left.lookUps += right.lookUps
            left.joined += right.joined
            left.flushes += right.flushes
            left.repeated += right.repeated
            left.connectionAttempts += right.connectionAttempts
        }
    }

    /// The counters of the pipeline since its creation.
    public var statistics: Statistics {
        lanes.reduce(into: Statistics()) { $0 += $1.statistics }
    }
}
