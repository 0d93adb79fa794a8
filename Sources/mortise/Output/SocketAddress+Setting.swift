import NIOCore

extension SocketAddress {
    /// The address as a setting has it, such as `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/mortise.sock`.
    var settingText: String {
        switch self {
        case .v4: "\(ipAddress ?? ""):\(port ?? 0)"
        case .v6: "[\(ipAddress ?? "")]:\(port ?? 0)"
        case .unixDomainSocket: "unix:\(pathname ?? "")"
        }
    }
}
