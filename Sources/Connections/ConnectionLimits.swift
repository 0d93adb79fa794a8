/// The limits of client connections, which keep one client from using up what all clients share.
package struct ConnectionLimits: Sendable, Equatable {
    /// The maximum number of open connections.
    ///
    /// Defaults to 4096. The program takes less if the system allows it few descriptors.
    package var maximum = 4096

    /// The maximum time from the start of a connection to the end of the first request's head.
    ///
    /// Defaults to 10 seconds.
    package var head: Duration = .seconds(10)

    /// The maximum time from the end of an answer to the end of the next request's head.
    ///
    /// Defaults to 60 seconds.
    package var idle: Duration = .seconds(60)

    /// The maximum time for a body to arrive, counted from the end of its head.
    ///
    /// Defaults to 10 seconds.
    package var body: Duration = .seconds(10)

    /// The maximum time in which a client takes nothing of its answer.
    ///
    /// Defaults to 20 seconds.
    package var answer: Duration = .seconds(20)

    /// The time that an idle connection stays open after the server was told to stop.
    ///
    /// A request that is on its way is still answered. Defaults to 1 second.
    package var drainingIdle: Duration = .seconds(1)

    /// The limit ``answer`` after the server was told to stop.
    ///
    /// Defaults to 5 seconds.
    package var drainingAnswer: Duration = .seconds(5)

    /// The maximum time between the last answer and the end of a connection.
    ///
    /// The client can read the answer in this time, although it still sends (RFC 9112 section 9.6). Defaults to 2 seconds.
    package var linger: Duration = .seconds(2)

    /// Creates limits with the default values.
    package init() {}
}
