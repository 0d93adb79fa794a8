import LibPQ
import Locks

/// The order in which an attempt to connect asks the several hosts of a connection string.
///
/// libpq waits for a silent host as long as its caller lets it, and asks no further host. So the first host of an attempt that ran out of
/// time comes last in the next attempt, and the host that was connected last comes first.
struct HostOrder: Sendable {
    private struct Name: Hashable {
        let hosts: String
        let addresses: String
        let ports: String
    }

    /// The index of the first host, by the lists of a connection string.
    ///
    /// A process has few connection strings.
    private static let first = Locked<[Name: Int]>([:])

    private let name: Name
    private let count: Int
    private let start: Int

    /// Begins an attempt.
    ///
    /// The result is `nil` if there is one host.
    ///
    /// - Parameter parameters: The keywords of the connection string.
    init?(_ parameters: [String: String]) {
        name = Name(
            hosts: parameters["host"] ?? "",
            addresses: parameters["hostaddr"] ?? "",
            ports: parameters["port"] ?? ""
        )
        count = max(Self.list(name.hosts).count, Self.list(name.addresses).count)
        guard count > 1 else { return nil }
        let name = self.name
        start = Self.first.withLock { $0[name] ?? 0 }
    }

    /// Returns keywords with the hosts in this order.
    func ordered(_ keywords: [String: String]) -> [String: String] {
        var keywords = keywords
        for keyword in ["host", "hostaddr", "port"] {
            let list = Self.list(keywords[keyword] ?? "")
            // One port stands for all hosts.
            guard list.count == count else { continue }
            keywords[keyword] = (list[start...] + list[..<start]).joined(separator: ",")
        }
        return keywords
    }

    /// Notes that the attempt ran out of time.
    func wasSilent() {
        Self.first.withLock { first in
            // Of several attempts at once, one moves the host.
            if first[name] ?? 0 == start { first[name] = (start + 1) % count }
        }
    }

    /// Notes the host of a connection that is open.
    func connected(_ connection: ServerConnection) {
        let hosts = Self.list(name.hosts)
        let addresses = Self.list(name.addresses)
        let ports = Self.list(name.ports)
        let index = (0..<count)
            .first { index in
                let host = hosts.count == count ? hosts[index] : addresses[index]
                return host == connection.host && (ports.count < count || ports[index] == connection.port)
            }
        guard let index else { return }
        Self.first.withLock { $0[name] = index }
    }

    private static func list(_ text: String) -> [Substring] {
        text.split(separator: ",", omittingEmptySubsequences: false)
    }
}
