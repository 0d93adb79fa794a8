import Connections
import Glibc
import Logging
import Notices
import Server

/// The number of files and sockets that this process can have open.
enum DescriptorLimit {
    /// The descriptors that clients cannot use up beside those of databases and webhooks: those of files, and a moment of too many
    /// connections.
    ///
    /// libdispatch ends a process that has none left when it opens a file.
    static let reserve = 96

    /// The largest limit that is asked for.
    private static let wanted: rlim_t = 65_536

    /// Raises the soft limit as far as the system allows, and returns it.
    static func raise() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        let raised = min(max(limit.rlim_cur, wanted), limit.rlim_max)
        if raised > limit.rlim_cur {
            var new = limit
            new.rlim_cur = raised
            if setrlimit(resource, &new) == 0 { limit = new }
        }
        return Int(min(limit.rlim_cur, wanted))
    }

    /// Returns the largest number of connections that leaves the reserve and the descriptors of databases and webhooks free.
    static func connections(descriptors: Int, others: Int) -> Int {
        max(8, min(descriptors - reserve - others, descriptors * 3 / 4))
    }

    /// Returns the settings of webhooks with a number of attempts for which the system has descriptors.
    ///
    /// At a low limit they get about a sixth of the descriptors.
    static func notices(descriptors: Int) -> NoticeOptions {
        var options = NoticeOptions()
        options.maximumAttempts = max(8, min(options.maximumAttempts, descriptors / 20))
        return options
    }

    /// Returns the largest number of look-up connections that leaves three quarters of the descriptors to clients, and at least 32.
    static func lookups(descriptors: Int, others: Int) -> Int {
        max(32, min(1000, descriptors / 4 - reserve - others))
    }

    /// Returns the settings with a number of connections for which the system has descriptors.
    ///
    /// - Parameters:
    ///   - settings: The settings.
    ///   - others: The number of descriptors of databases and webhooks.
    ///   - listeners: The number of listeners that share the descriptors. Each can have the same number of connections.
    ///   - descriptors: The number of descriptors that the process can have.
    ///   - logger: The logger.
    /// - Returns: The limits of each listener.
    static func apply(
        _ settings: ClientConnectionSettings,
        others: Int,
        listeners: Int,
        descriptors: Int,
        _ logger: Logger
    ) -> ConnectionLimits {
        var limits = settings.limits
        let possible = connections(descriptors: descriptors, others: others) / listeners
        guard limits.maximum > possible else { return limits }
        logger.log(
            level: settings.hasMaximum ? .warning : .notice,
            "the limit of open files allows fewer connections of clients",
            metadata: [
                "connections": "\(possible)", "open_files": "\(descriptors)",
                "next": "raise the hard limit with ulimit -n, or LimitNOFILE= of systemd",
            ]
        )
        limits.maximum = possible
        return limits
    }
}
