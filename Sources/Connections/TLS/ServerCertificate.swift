import CivilTime
import Locks
import NIOCore
import NIOSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The certificate and the key of a listener with TLS, as last read from their files.
package final class ServerCertificate: Sendable {
    /// The paths of the files, which are PEM.
    package struct Files: Sendable, Equatable {
        /// The certificate of the server, with those of the authorities between it and the root behind it.
        package let certificate: String
        /// The private key, without a passphrase.
        package let key: String

        /// Creates the paths.
        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The protocols inside of TLS, in the order of preference (RFC 7301).
    private static let protocols = ["h2", "http/1.1"]
    /// The largest file, in bytes.
    private static let maximumBytes = 1_048_576

    private struct Loaded {
        let context: NIOSSLContext
        let end: Int
    }

    /// The paths of the files.
    package let files: Files

    private let loaded: Locked<Loaded>

    /// Reads the files.
    ///
    /// - Throws: ``CertificateFault`` if a file cannot be used, or if the key is not that of the certificate.
    package init(_ files: Files) throws(CertificateFault) {
        self.files = files
        loaded = Locked(try Self.load(files))
    }

    /// The settings of new connections.
    var context: NIOSSLContext { loaded.withLock { $0.context } }

    /// The end of the certificate's validity, in seconds since 1970.
    package var end: Int { loaded.withLock { $0.end } }

    /// Returns true if the certificate's validity has ended at a time in seconds since 1970, which defaults to now.
    package func hasEnded(at now: Int? = nil) -> Bool { end < now ?? Int(time(nil)) }

    /// Reads the files again, for new connections.
    ///
    /// A certificate that has ended does not replace one that has not: clients would refuse it.
    ///
    /// - Parameter now: The time in seconds since 1970. Defaults to now.
    /// - Throws: ``CertificateFault`` if a file cannot be used. The certificate that was read before stays in use.
    package func reload(at now: Int? = nil) throws(CertificateFault) {
        let new = try Self.load(files)
        let now = now ?? Int(time(nil))
        let isReplaced = loaded.withLock { loaded in
            guard new.end >= now || loaded.end < now else { return false }
            loaded = new
            return true
        }
        guard isReplaced else {
            throw CertificateFault(
                files.certificate,
                "has a certificate that ended on \(HTTPDate.text(seconds: new.end)). Put the renewed one in its place, and send SIGHUP again."
            )
        }
    }

    private static func load(_ files: Files) throws(CertificateFault) -> Loaded {
        let text = try read(files.certificate)
        // The text of the library's error says nothing more.
        let chain = (try? NIOSSLCertificate.fromPEMBytes(text)) ?? []
        guard let first = chain.first else {
            throw CertificateFault(files.certificate, "has no certificate. Name a file with certificates as PEM.")
        }
        let bytes = try read(files.key, isSecret: true)
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw CertificateFault(
                files.key,
                "has no private key. Name a file with a key as PEM, without a passphrase."
            )
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        // A client that leaves the end of TLS unanswered keeps its slot for so long.
        configuration.shutdownTimeout = .seconds(1)
        guard let context = try? NIOSSLContext(configuration: configuration) else {
            throw CertificateFault(files.key, "is not the key of the first certificate in \(files.certificate).")
        }
        return Loaded(context: context, end: Int(first.notValidAfter))
    }

    private static func read(_ path: String, isSecret: Bool = false) throws(CertificateFault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw CertificateFault(path, "cannot be read: \(String(cString: strerror(errno))).")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= maximumBytes else {
            throw CertificateFault(path, "is not a regular file of at most \(maximumBytes) bytes.")
        }
        // A group can have been made for the readers of keys, as Debian does.
        guard !isSecret || status.st_mode & 0o027 == 0 else {
            throw CertificateFault(
                path,
                "can be read by everybody, or changed by others. Run `chmod o-rwx,g-w \(path)`."
            )
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let more = bytes[count...].withUnsafeMutableBytes { Self.readBytes(descriptor, $0) }
            guard more > 0 else { break }
            count += more
        }
        return Array(bytes.prefix(count))
    }

    private static func readBytes(_ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Glibc)
        Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
        Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #else
        Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}

/// An error that says that the certificate or the key of a listener cannot be used.
package struct CertificateFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// A sentence about the file, and the next step.
    package let description: String

    init(_ path: String, _ clause: String) { description = "The file \(path) \(clause)" }
}
