import Logging
import NIOPosix
import Notices

/// The list of GitHub's public keys, as this node last read it.
///
/// It is read again after an hour, and when a report names a key that it lacks, as after a rotation of the keys. Anybody can name a key, so
/// the latter happens once a minute at most.
struct GitHubKeyList: Sendable {
    private static let maximumBytes = 262_144

    private let list: RefreshedValue<GitHubKeys>?

    /// Creates a list that has read nothing yet.
    ///
    /// - Parameters:
    ///   - source: The place of the list; `nil` is a list without keys.
    ///   - exchange: Sends requests.
    ///   - elapsed: Returns the time since some moment.
    ///   - logger: The logger.
    init(
        _ source: GitHubKeySource?,
        exchange: @escaping OutboundExchange,
        elapsed: @escaping @Sendable () -> Duration,
        logger: Logger
    ) {
        list = source.map { source in
            RefreshedValue<GitHubKeys>(elapsed: elapsed) {
                do {
                    guard let keys = GitHubKeys(try await Self.bytes(source, exchange)) else {
                        throw Fault("it has no key for ECDSA with P-256")
                    }
                    return keys
                } catch {
                    logger.warning("the list of GitHub's keys cannot be read", metadata: ["reason": "\(error)"])
                    return nil
                }
            }
        }
    }

    /// Returns the keys.
    ///
    /// - Parameter id: The key that a report names.
    /// - Returns: The keys, which can still lack it; `nil` if the settings name no list.
    /// - Throws: `Refusal.unavailable` if there are no usable keys and none can be read.
    func keys(for id: String) async throws(Refusal) -> GitHubKeys? {
        guard let list else { return nil }
        return try await list.value { $0.contains(id) }
    }

    /// Ends a read that is under way.
    func shutdown() async { await list?.shutdown() }

    private static func bytes(_ source: GitHubKeySource, _ exchange: OutboundExchange) async throws -> [UInt8] {
        switch source {
        case .url(let url):
            let answer = try await exchange(OutboundRequest(url))
            guard answer.status == 200 else { throw Fault("the answer has status \(answer.status)") }
            return answer.body
        case .file(let path):
            return try await NIOThreadPool.singleton.runIfActive {
                try RegularFile.read(path, limit: Self.maximumBytes)
            }
        }
    }

    private struct Fault: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }
}
