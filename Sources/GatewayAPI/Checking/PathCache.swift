import Tenancy

/// The paths that the configurations of gateways write, as last read.
///
/// A gateway's path is the same in every request up to the client's own part, and reading it takes longer than finding it here.
package final class PathCache: Sendable {
    /// The number of paths at which the cache starts anew.
    private static let maximum = 1024
    /// The longest path that is kept, in bytes, so that the size is bounded.
    private static let maximumBytes = 512

    /// A copy for each group of threads: a thread that reads waits for no other one.
    private let known = Striped<[String: CheckPath]>([:])

    /// Creates an empty cache.
    package init() {}

    /// Reads a request target: see ``CheckPath/read(_:)``.
    package func read(_ target: String) throws(CheckFault) -> CheckPath? {
        guard let end = CheckPath.endOfConfiguration(in: target),
            target.utf8.distance(from: target.startIndex, to: end) <= Self.maximumBytes
        else { return try CheckPath.read(target) }
        let configured = String(target[..<end])
        if let path = known.withCurrent({ $0[configured] }) { return path }
        guard let path = try CheckPath.read(configured) else { return nil }
        known.withCurrent {
            if $0.count >= Self.maximum { $0 = [:] }
            $0[configured] = path
        }
        return path
    }
}
