import FoundationEssentials
import Glibc
import Locks
package import Postgres

/// A Unix socket that accepts connections and never sends a byte, like a server that hangs.
package final class SilentListener: Sendable {
    package struct Failure: Error {
        let call: String
        let number: Int32
    }

    private let descriptor: Int32
    private let accepted = Locked<[Int32]>([])
    private let folder: String

    package init() throws {
        var template = Array("/tmp/silent-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(call: "mkdtemp", number: errno) }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(folder)/.s.PGSQL.5432".utf8) }
        let descriptor = self.descriptor
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(descriptor, 64) == 0
            }
        }
        guard isBound else { throw Failure(call: "bind", number: errno) }
    }

    deinit {
        close(self.descriptor)
        for descriptor in accepted.withLock(\.self) { close(descriptor) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The connection string of a cluster on the server.
    package var conninfo: String { "host=\(folder) user=nobody" }

    package func configuration() throws -> PostgresConfiguration {
        try PostgresConfiguration("\(conninfo) dbname=nothing")
    }

    /// Waits for a client to connect.
    package func accept() async throws { try await eventually("a client connects") { acceptWaiting() } }

    /// Accepts a client that has connected.
    ///
    /// - Returns: False if there is none.
    package func acceptWaiting() -> Bool {
        let peer = Glibc.accept(descriptor, nil, nil)
        if peer >= 0 { accepted.withLock { $0.append(peer) } }
        return peer >= 0
    }

    /// Answers what its clients have sent since the last call.
    ///
    /// - Parameter answer: Returns the bytes of the answer to some bytes.
    package func exchange(_ answer: ([UInt8]) -> [UInt8]) {
        for peer in accepted.withLock(\.self) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(peer, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { continue }
            let bytes = answer(Array(buffer.prefix(count)))
            // A few bytes always fit into the buffer of an empty socket.
            _ = send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// Closes the connections of all clients.
    package func hangUp() {
        for peer in accepted.withLock(\.self) { shutdown(peer, Int32(SHUT_RDWR)) }
    }

    /// Waits until all clients have closed their connections.
    package func waitForHangUp() async throws {
        try await eventually("all clients hang up") {
            accepted.withLock(\.self)
                .allSatisfy { peer in
                    var buffer = [UInt8](repeating: 0, count: 4096)
                    while true {
                        let count = recv(peer, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                        if count <= 0 { return count == 0 || errno == ECONNRESET }
                    }
                }
        }
    }
}
