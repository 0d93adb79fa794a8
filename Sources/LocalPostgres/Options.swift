extension LocalPostgres {
    /// How a server ends the connections it has.
    public enum StopMode: String, Sendable {
        /// Open transactions are rolled back, connections closed, data written out.
        case fast
        /// The server ends without writing anything out; the next start recovers from its log.
        case immediate
    }

    /// How a local server is run.
    public struct Options: Sendable {
        /// Whether a committed transaction survives a crash of the machine.
        ///
        /// Defaults to true.
        public var isDurable: Bool

        /// The most connections at once, from 10 to 10,000.
        ///
        /// Defaults to 200.
        public var maximumConnections: Int

        /// How long a start may take in all, crash recovery included.
        ///
        /// Defaults to 60 s.
        public var startTimeout: Duration

        /// How long an orderly stop may take before the server is made to stop at once.
        ///
        /// Defaults to 60 s.
        public var stopTimeout: Duration

        /// Further settings by name, as in `postgresql.conf`.
        ///
        /// Defaults to none. They win over this module's, except over those that keep the server on its socket: naming one of those is an error.
        public var settings: [String: String]

        /// Where to keep the data when this process is root and the server's user may not enter the folder asked for.
        ///
        /// A folder with a name of its own is made in it, and the one asked for becomes a link to that. Defaults to nil: then it is
        /// an error.
        public var fallbackFolder: String?

        /// Settings for data that must last.
        public static var durable: Options {
            Options(
                isDurable: true,
                maximumConnections: 200,
                startTimeout: .seconds(60),
                stopTimeout: .seconds(60),
                settings: [:],
                fallbackFolder: nil
            )
        }

        /// Settings for tests: nothing is forced to disk, so a crash of the machine loses the cluster.
        ///
        /// A start and a stop may take 10 minutes each, because machines that run tests can be very busy.
        public static var throwaway: Options {
            var options = durable
            options.isDurable = false
            options.startTimeout = .seconds(600)
            options.stopTimeout = .seconds(600)
            return options
        }
    }
}
