package import Keys

/// The settings of webhooks and notices.
package struct NoticeOptions: Sendable {
    /// The ranges of addresses that webhooks can be sent to although they are not globally reachable.
    package var allowedAddresses: [AddressRange] = []
    /// Resolves the names of receivers; `nil` uses the system's resolver.
    package var resolver: HostResolver?
    /// The certificates of the authorities that receivers are trusted by, as PEM; `nil` trusts the system's.
    package var authorities: String?
    /// Returns the difference between the time of schedules and the database's time.
    ///
    /// It is zero, except in tests, which let days pass.
    package var shift: @Sendable () -> Duration = { .zero }
    /// The maximum number of attempts at once.
    ///
    /// Default 256.
    package var maximumAttempts = AttemptSlots.total
    /// The maximum number of threads that resolve names.
    var resolverThreads: Int { min(64, maximumAttempts) }
    /// The maximum number of connections that wait for their next request.
    var keptConnections: Int { maximumAttempts / 2 }
    /// The maximum number of open files: those of attempts and of waiting connections, and of a look-up of a name a socket and a file.
    package var maximumDescriptors: Int { maximumAttempts + keptConnections + 2 * resolverThreads }

    /// The maximum time of an attempt, from the look-up of the name to the answer: 10 s or less.
    package var attemptDeadline: Duration = .seconds(10)
    /// The maximum time of reading the events of a database, which is shorter than the lease of 10 s.
    package var relayDeadline: Duration = .seconds(8)

    /// The maximum time to count the deliveries of an organization that wait.
    ///
    /// Default 2 s.
    package var countDeadline: Duration = .seconds(2)
    /// True if this node searches for notices by itself.
    ///
    /// A test can turn it off and search when it needs to.
    package var searches = true
    /// The value of the header `User-Agent`.
    package var userAgent = "mortise"

    /// Creates settings with the default values.
    package init() {}
}
