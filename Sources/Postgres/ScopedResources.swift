public import Logging

/// Passes a resource to `body`, and closes the resource on every path out of it: a return, an error, a cancellation.
///
/// `close` runs to its end even in a cancelled task: the cancellation does not reach it.
///
/// - Parameters:
///   - resource: The resource, open.
///   - body: The work that needs the resource.
///   - close: Closes the resource. Runs once, after `body`.
/// - Returns: The value that `body` returns.
/// - Throws: The error of `body`. An error of `close` is thrown only if `body` did not throw.
package func withResource<Resource: Sendable, Value, Failure: Error>(
    _ resource: Resource,
    _ body: (Resource) async throws(Failure) -> Value,
    close: @escaping @Sendable (Resource) async throws(Failure) -> Void
) async throws(Failure) -> Value {
    let value: Value
    do throws(Failure) {
        value = try await body(resource)
    } catch {
        // The error of the work is the one to report: a failure to close is often its consequence.
        try? await closeIgnoringCancellation(resource, close)
        throw error
    }
    try await closeIgnoringCancellation(resource, close)
    return value
}

private func closeIgnoringCancellation<Resource: Sendable, Failure: Error>(
    _ resource: Resource,
    _ close: @escaping @Sendable (Resource) async throws(Failure) -> Void
) async throws(Failure) {
    guard Task.isCancelled else { return try await close(resource) }
    // A task of its own is not cancelled with the caller's.
    let outcome = await Task { () async -> Result<Void, Failure> in
        do throws(Failure) { return .success(try await close(resource)) } catch { return .failure(error) }
    }
    .value
    try outcome.get()
}

extension Reactor {
    /// Starts a reactor, passes it to `body`, and shuts it down afterwards.
    ///
    /// A cancellation reaches `body`, and not the end of the resource.
    ///
    /// - Parameters:
    ///   - name: The name that the reactor's threads have in a debugger.
    ///   - body: The work that needs the reactor.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`, or `closed` if the system provides no descriptors.
    public static func with<Value>(
        name: String = "postgres",
        _ body: (Reactor) async throws -> Value
    ) async throws -> Value {
        try await withResource(try Reactor(name: name), body, close: { await $0.shutdown() })
    }
}

extension PostgresConnection {
    /// Opens a connection, passes it to `body`, and closes it afterwards.
    ///
    /// A cancellation reaches `body`, and not the end of the resource.
    ///
    /// - Parameters:
    ///   - configuration: The server, the database and the role.
    ///   - reactor: The thread that serves the connection.
    ///   - logger: Receives the server's notices at level `debug`.
    ///   - body: The work that needs the connection.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`, or the errors of ``connect(_:reactor:logger:)``.
    public static func with<Value>(
        _ configuration: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect(configuration, reactor: reactor, logger: logger)
        return try await withResource(connection, body, close: { await $0.close() })
    }
}

extension PostgresPool {
    /// Creates a pool, passes it to `body`, and shuts it down afterwards.
    ///
    /// A cancellation reaches `body`, and not the end of the resource.
    ///
    /// - Parameters:
    ///   - configuration: The server, the database and the role.
    ///   - options: The limits of the pool.
    ///   - reactor: The thread that serves the connections.
    ///   - logger: Receives the server's notices at level `debug`.
    ///   - body: The work that needs the pool.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`.
    public static func with<Value>(
        _ configuration: PostgresConfiguration,
        options: PostgresPoolOptions = PostgresPoolOptions(),
        reactor: Reactor,
        logger: Logger,
        _ body: (PostgresPool) async throws -> Value
    ) async throws -> Value {
        let pool = PostgresPool(configuration, options: options, reactor: reactor, logger: logger)
        return try await withResource(pool, body, close: { await $0.shutdown() })
    }
}

extension PostgresPipeline {
    /// Creates a pipeline, passes it to `body`, and shuts it down afterwards.
    ///
    /// A cancellation reaches `body`, and not the end of the resource.
    ///
    /// - Parameters:
    ///   - configuration: The server, the database and the role.
    ///   - reactors: The threads that serve the connections, at least one.
    ///   - logger: Receives the server's notices at level `debug`.
    ///   - body: The work that needs the pipeline.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`.
    public static func with<Value>(
        _ configuration: PostgresConfiguration,
        reactors: [Reactor],
        logger: Logger,
        _ body: (PostgresPipeline) async throws -> Value
    ) async throws -> Value {
        let pipeline = PostgresPipeline(configuration, reactors: reactors, logger: logger)
        return try await withResource(pipeline, body, close: { await $0.shutdown() })
    }
}
