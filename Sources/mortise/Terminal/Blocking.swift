import NIOPosix

/// Calls that may wait for a person, a pipe or a disk, kept off the cooperative pool.
enum Blocking {
    /// Runs the work on a thread that may block.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}
