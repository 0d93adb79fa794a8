import Locks

/// The context extensions that the configurations of gateways write, as last read.
///
/// Envoy sends the same bytes with every request of a route, and reading them takes longer than finding them here.
final class ExtensionCache: Sendable {
    /// The number of configurations at which the cache is emptied.
    private static let maximum = 1024
    /// The largest configuration that is kept, in bytes, so that the size is bounded.
    private static let maximumBytes = 1024

    /// A copy for each group of threads: a thread that reads waits for no other one.
    private let known = Striped<[[UInt8]: CheckPath]>([:])

    /// Reads the context extensions of a request: see ``ContextExtensions/read(_:)``.
    func read(_ request: CheckRequest) throws(CheckFault) -> CheckPath {
        let configuration = request.configuration
        guard configuration.count <= Self.maximumBytes else {
            return try ContextExtensions.read(request.extensionTexts)
        }
        if let path = known.withCurrent({ $0[configuration] }) { return path }
        let path = try ContextExtensions.read(request.extensionTexts)
        known.withCurrent {
            if $0.count >= Self.maximum { $0 = [:] }
            $0[configuration] = path
        }
        return path
    }
}
