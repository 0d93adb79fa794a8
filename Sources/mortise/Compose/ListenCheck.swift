import Connections
import GatewayAPI
import Glibc
package import NIOCore
import NIOPosix

/// Checks that the addresses of a server are free before anything else happens.
///
/// A first start creates keys and shows them once. Without the check, it would do so, and only then find that another
/// program has an address.
package enum ListenCheck {
    /// Listens at all addresses together for a moment.
    ///
    /// - Throws: `CommandFailure` of kind `refused` if one of them cannot be used.
    static func run(_ settings: ServeSettings) async throws {
        var places = [(settings.listen, Settings.listen.declaration)]
        places += settings.gateway.addresses.map { ($0.place, Settings.gatewayListen.declaration) }
        places += settings.gateway.rpcAddresses.map { ($0.place, Settings.grpcListen.declaration) }
        if let operations = settings.operations { places.append((operations, Settings.operationsListen.declaration)) }
        var channels: [any Channel] = []
        var sockets: [String] = []
        var fault: (any Error)?
        for (place, setting) in places {
            do {
                channels.append(try await listen(place, setting))
                if case .unixSocket(let path) = place { sockets.append(path) }
            } catch {
                fault = error
                break
            }
        }
        for channel in channels { try await channel.close() }
        // SwiftNIO leaves the file of a socket that it has closed.
        for path in sockets { SocketFile.remove(path) }
        if let fault { throw fault }
    }

    /// Listens at an address.
    private static func listen(_ place: ListenerPlace, _ setting: SettingDeclaration) async throws -> any Channel {
        do {
            switch place {
            case .unixSocket(let path):
                try SocketFile.makeRoom(at: path)
                return try await occupy(path: path)
            case .tcp(let host, let port):
                return try await occupy(host, port)
            }
        } catch {
            throw failure(error, place, setting)
        }
    }

    /// Listens at the path of a socket, and accepts nobody.
    ///
    /// The folder can be missing, or closed to this user, which only the attempt shows for certain.
    private static func occupy(path: String) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.autoRead, value: false)
            .bind(unixDomainSocketPath: path)
            .get()
    }

    /// Listens, and accepts nobody.
    ///
    /// The system resets the connections of clients that connect meanwhile when the channel is closed. A client that was accepted would
    /// wait for an answer for ever.
    package static func occupy(_ host: String, _ port: Int) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .bind(host: host, port: port)
            .get()
    }

    /// Returns the failure for an error of a listener.
    private static func failure(
        _ error: any Error,
        _ place: ListenerPlace,
        _ setting: SettingDeclaration
    ) -> CommandFailure {
        let other = "Listen at another address with \(setting.flag) or \(setting.variable)."
        if let fault = error as? SocketFileFault {
            return CommandFailure(.refused, "The address \(place) \(fault.clause)", details: [other])
        }
        if error is SocketAddressError || error is SocketAddressError.UnknownHost {
            return CommandFailure(.refused, "The host of \(place) cannot be resolved.", details: [other])
        }
        let isSocket = if case .unixSocket = place { true } else { false }
        let code = (error as? IOError)?.errnoCode
        switch code {
        case ENOENT where isSocket:
            return CommandFailure(.refused, "The folder of \(place) does not exist.", details: ["Create it.", other])
        case EADDRINUSE:
            return CommandFailure(
                .refused,
                "Another program listens at \(place).",
                details: ["Is it another `mortise serve`, or another listener of this one? Stop it.", other]
            )
        case EADDRNOTAVAIL:
            return CommandFailure(.refused, "This machine does not have the address \(place).", details: [other])
        case EACCES:
            let right = isSocket ? "It must be able to write in the folder." : "Ports below 1024 need a privilege."
            return CommandFailure(.refused, "This user may not listen at \(place).", details: [right, other])
        case .some(let code):
            let reason = String(cString: strerror(code)).lowercased()
            return CommandFailure(.refused, "Nothing can listen at \(place): \(reason).", details: [other])
        case nil: return CommandFailure(.refused, "Nothing can listen at \(place): \(error).", details: [other])
        }
    }
}
