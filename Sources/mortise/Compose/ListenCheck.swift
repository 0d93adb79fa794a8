import Connections
import Glibc
import NIOCore
import NIOPosix

/// Checks that the address of a server is free before anything else happens.
///
/// A first start creates keys and shows them once. Without the check, it would do so, and only then find that another
/// program has the address.
enum ListenCheck {
    /// Listens at the address for a moment.
    ///
    /// - Throws: `CommandFailure` of kind `refused` if the address cannot be used.
    static func run(_ place: ListenerPlace) async throws {
        let address: ListenAddress
        switch place {
        case .tcp(let host, let port): address = ListenAddress(host: host, port: port)
        case .unixSocket(let path):
            do throws(SocketFileFault) {
                return try SocketFile.makeRoom(at: path)
            } catch {
                throw CommandFailure(.refused, "The address \(place) \(error.clause)")
            }
        }
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: address.host, port: address.port)
                .get()
            try await channel.close()
        } catch {
            throw failure(error, place) ?? error
        }
    }

    /// Returns the failure for an error of a listener, or `nil` if the error is another.
    static func failure(_ error: any Error, _ place: ListenerPlace) -> CommandFailure? {
        let setting = Settings.listen.declaration
        let other = "Listen at another address with \(setting.flag) or \(setting.variable)."
        if error is SocketAddressError {
            return CommandFailure(.refused, "The host of \(place) cannot be resolved.", details: [other])
        }
        guard let error = error as? IOError else { return nil }
        switch error.errnoCode {
        case EADDRINUSE:
            return CommandFailure(
                .refused,
                "Another program listens at \(place).",
                details: ["Is it another `mortise serve`? Stop it.", other]
            )
        case EADDRNOTAVAIL:
            return CommandFailure(.refused, "This machine does not have the address \(place).", details: [other])
        case EACCES:
            return CommandFailure(
                .refused,
                "This user may not listen at \(place).",
                details: ["Ports below 1024 need a privilege.", other]
            )
        default: return nil
        }
    }
}
