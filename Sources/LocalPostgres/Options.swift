extension LocalPostgres {
    /// The way in which a server ends its connections.
    public enum StopMode: String, Sendable {
        /// Roll back open transactions, close connections and write all data.
        case fast
        /// End without writing data. The next start recovers from the write-ahead log.
        case immediate
    }

    /// The options of a local server.
    public struct Options: Sendable {
        /// True if a committed transaction survives a crash of the machine.
        ///
        /// Defaults to true.
        public var isDurable: Bool

        /// The maximum number of connections, from 10 to 10,000.
        ///
        /// Defaults to 200.
        public var maximumConnections: Int

        /// The maximum duration of a start, without the recovery after a crash, which takes as long as it needs.
        ///
        /// Defaults to 60 s.
        public var startTimeout: Duration

        /// The maximum duration of a `fast` stop.
        ///
        /// After it, the server is stopped in the mode `immediate`, for at most 10 s.
        ///
        /// Defaults to 30 s.
        public var stopTimeout: Duration

        /// More settings by name, as in `postgresql.conf`.
        ///
        /// Defaults to none. They win over the settings of this module. The settings that keep the server on its socket are
        /// reserved, and naming one is an error.
        public var settings: [String: String]

        /// The folder of the data if this process is root and the server's user cannot enter the requested folder.
        ///
        /// A folder with a unique name is created in it, and the requested folder becomes a link to that folder. Defaults to
        /// `nil`: a folder that the server's user cannot enter is an error.
        public var fallbackFolder: String?

        /// The options for data that must survive.
        public static var durable: Options {
            Options(
                isDurable: true,
                maximumConnections: 300,
                startTimeout: .seconds(60),
                stopTimeout: .seconds(30),
                settings: [:],
                fallbackFolder: nil
            )
        }

        /// The options for tests.
        ///
        /// Nothing is forced to disk, so a crash of the machine loses the data.
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
