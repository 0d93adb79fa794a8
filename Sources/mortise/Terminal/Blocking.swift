import NIOPosix

/// Work that may wait for a person, a pipe or a disk, which must not occupy a thread of the cooperative pool.
enum Blocking {
    /// Runs the work on a thread that may block.
    ///
    /// - Returns: The value of the work.
    /// - Throws: The errors of the work. Cancellation does not end work that has started.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}
