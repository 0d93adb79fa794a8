import CNIOLinux
package import Keys
package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension SocketAddress {
    /// The IP address, read from its bytes.
    ///
    /// `nil` for a Unix-domain socket.
    package var clientAddress: IPAddress? {
        switch self {
        case .v4(let peer): .v4(UInt32(bigEndian: peer.address.sin_addr.s_addr))
        case .v6(let peer):
            withUnsafeBytes(of: peer.address.sin6_addr) {
                IPAddress(v6Bits: UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)))
            }
        case .unixDomainSocket: nil
        }
    }
}
