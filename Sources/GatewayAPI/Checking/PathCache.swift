import Locks

/// The paths that the configurations of gateways write, as last read.
///
/// A gateway's path is the same in every request up to the client's own part, and reading it takes longer than finding it here.
package final class PathCache: Sendable {
    /// The number of paths at which the cache is emptied.
    private static let maximum = 1024
    /// The longest path that is kept, in bytes, so that the size is bounded.
    private static let maximumBytes = 512

    private struct State: Sendable {
        var paths: [String: CheckPath] = [:]
        /// The path of the last request.
        ///
        /// Most gateways write one path only, and comparing costs less than hashing.
        var last: (configured: String, path: CheckPath)?

        mutating func find(_ configured: String) -> CheckPath? {
            guard let path = paths[configured] else { return nil }
            last = (configured, path)
            return path
        }
    }

    /// A copy for each group of threads: a thread that reads waits for no other one.
    private let known = Striped<State>(State())

    /// Creates an empty cache.
    package init() {}

    /// Reads a request target: see ``CheckPath/read(_:)``.
    package func read(_ target: String) throws(CheckFault) -> CheckPath? {
        guard let end = CheckPath.endOfConfiguration(in: target),
            case let length = target.utf8.distance(from: target.startIndex, to: end), length <= Self.maximumBytes
        else { return try CheckPath.read(target) }
        let last = known.withCurrent { state -> CheckPath? in
            guard let last = state.last, last.configured.utf8.count == length, target.hasPrefix(last.configured) else {
                return nil
            }
            return last.path
        }
        if let last { return last }
        let configured = String(target[..<end])
        if let path = known.withCurrent({ $0.find(configured) }) { return path }
        guard let path = try CheckPath.read(configured) else { return nil }
        known.withCurrent {
            if $0.paths.count >= Self.maximum { $0.paths = [:] }
            $0.paths[configured] = path
        }
        return path
    }
}
