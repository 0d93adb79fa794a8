public import Postgres

/// The reactor that the tests of one process share; it is never shut down.
public enum TestReactor {
    private static let started = Result { () throws(PostgresError) in try Reactor(name: "test") }

    /// The reactor.
    ///
    /// - Throws: `PostgresError` when the system gave no descriptors for it.
    public static var shared: Reactor {
        get throws(PostgresError) { try started.get() }
    }
}
