import Connections
import HTTPTestSupport
import NIOCore
import NIOHPACK
import Server
import ServerTestSupport
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The certificate of the listener, and the connections that it begins with.
@Suite(.hangLimit) struct TLSTests {
    @Test func `a client chooses HTTP/2 or HTTP/1.1, and one that names neither gets HTTP/1.1`() async throws {
        try await withTLS { mortise, _ in
            for client in [TLSClient("http/1.1"), TLSClient(), TLSClient("spdy/1")] {
                try await RawConnection.with(mortise.address, prepare: client.prepare) { connection in
                    try await connection.get()
                    #expect(try await connection.answer()?.status == 200)
                    try await connection.get("/readyz", "Connection: close")
                    let last = try #require(try await connection.answer())
                    #expect(last.status == 200 && last.isLast)
                    #expect(try await connection.rest() == "")
                }
                #expect(client.name?.contains("mortise test") == true)
            }
            try await FrameConnection.with(mortise.address, prepare: TLSClient("h2", "http/1.1").prepare) {
                connection in
                let id = try await connection.open(.get("/healthz"))
                #expect(try await connection.answer(id)?.text == "ok\n")
            }
        }
    }

    @Test func `a client that speaks plain HTTP is told to use https`() async throws {
        try await withTLS { mortise, _ in
            try await RawConnection.with(mortise.address) { connection in
                try await connection.get()
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 400 && answer.body.contains("https://"), "\(answer)")
                #expect(answer["content-type"] == "application/problem+json" && answer.isLast)
                #expect(try await connection.rest() == "")
            }
        }
    }

    // The fault: a console that takes its own pages for those of another site, because it expects http.
    @Test func `the pages of the console are of the https origin of the listener`() async throws {
        try await withTLS { mortise, _ in
            for (origin, sentence) in [
                ("https://localhost:8443", "this browser was given"),
                ("http://localhost:8443", "did not come from a page of this console"),
            ] {
                try await RawConnection.with(mortise.address, prepare: TLSClient("http/1.1").prepare) { connection in
                    let fields = [
                        "Host: localhost:8443", "Origin: \(origin)", "Content-Type: application/x-www-form-urlencoded",
                        "Content-Length: 0", "Connection: close",
                    ]
                    let head = fields.map { "\($0)\r\n" }.joined()
                    try await connection.send("POST /console/sign-in HTTP/1.1\r\n\(head)\r\n")
                    let answer = try #require(try await connection.answer())
                    #expect(answer.status == 403 && answer.body.contains(sentence), "\(answer)")
                }
            }
        }
    }

    // The attack: connections that begin a handshake and never end it, or that are no handshake at all.
    @Test func `a handshake that does not end in time, or is none, ends the connection`() async throws {
        let short = Duration.milliseconds(200)
        try await withTLS(configure: { $0.connections.head = short }) { mortise, _ in
            let hello: [UInt8] = [22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]
            let plain = Array("GET".utf8)
            let starts: [[UInt8]] = [[], hello, [22], plain, [22, 3, 1, 0, 1, 99], Array(repeating: 22, count: 5000)]
            for start in starts {
                try await RawConnection.with(mortise.address) { connection in
                    if !start.isEmpty { try await connection.send(ByteBuffer(bytes: start)) }
                    _ = try await connection.rest()
                }
            }
            // A client that is done with the handshake has no longer for its first request.
            for client in [TLSClient("h2"), TLSClient("http/1.1")] {
                try await RawConnection.with(mortise.address, prepare: client.prepare) { _ = try await $0.rest() }
            }
            let old = TLSClient("http/1.1", isOld: true)
            try await RawConnection.with(mortise.address, prepare: old.prepare) { connection in
                try? await connection.get()
                let answer = try await connection.answer()
                #expect(answer == nil)
            }
        }
    }

    // The fault: a client that has connected and sends nothing holds up each restart for the time of a head.
    @Test func `a handshake that does not end holds up no stop`() async throws {
        try await withTLS(configure: {
            $0.connections.head = .ample
            $0.connections.drainingIdle = .milliseconds(200)
            $0.shutdownGrace = .ample
        }) { mortise, _ in
            try await RawConnection.with(mortise.address) { silent in
                try await silent.send(ByteBuffer(bytes: [22]))
                try await RawConnection.with(mortise.address, prepare: TLSClient("http/1.1").prepare) { connection in
                    try await connection.get()
                    #expect(try await connection.answer()?.status == 200)
                }
                await mortise.stop()
                _ = try await silent.rest()
            }
        }
    }

    @Test func `a connection in a handshake gives its slot to another one`() async throws {
        try await withTLS(configure: {
            $0.connections.maximum = 1
            // Two threads could begin with the second connection.
            $0.eventLoops = 1
        }) { mortise, _ in
            try await RawConnection.with(mortise.address) { silent in
                let client = TLSClient("http/1.1")
                try await RawConnection.with(mortise.address, prepare: client.prepare) { connection in
                    try await connection.get()
                    #expect(try await connection.answer()?.status == 200)
                    _ = try await silent.rest()
                }
            }
        }
    }

    // The fault: a renewal writes half of a file, or the new key does not belong to the new certificate.
    @Test func `a new certificate counts for the next connection, and a broken one changes nothing`() async throws {
        try await withTLS { mortise, certificate in
            func served() async throws -> String? {
                let client = TLSClient("http/1.1")
                try await RawConnection.with(mortise.address, prepare: client.prepare) { connection in
                    try await connection.get()
                    #expect(try await connection.answer()?.status == 200)
                }
                return client.name
            }
            let first = try await served()
            let client = TLSClient("http/1.1")
            try await RawConnection.with(mortise.address, prepare: client.prepare) { kept in
                try await kept.get()
                #expect(try await kept.answer()?.status == 200)
                TemporaryFolder.write(TestCertificate.second.certificate, to: certificate.files.certificate)
                #expect(throws: CertificateFault.self) { try certificate.reload() }
                #expect(try await served() == first)
                TestCertificate.second.write(to: certificate.files.certificate, certificate.files.key)
                try certificate.reload()
                let second = try await served()
                #expect(second != nil && second != first)
                // A connection keeps its certificate.
                try await kept.get()
                #expect(try await kept.answer()?.status == 200)
            }
        }
    }

    // The accident: a copy of an old certificate takes the place of the one that works.
    @Test func `a certificate that has ended replaces only one that has ended, too`() async throws {
        try await TemporaryFolder.with { folder in
            let files = ServerCertificate.Files(certificate: "\(folder)/c.pem", key: "\(folder)/k.pem")
            TestCertificate.first.write(to: files.certificate, files.key)
            let certificate = try ServerCertificate(files)
            let good = certificate.end
            TestCertificate.ended.write(to: files.certificate, files.key)
            #expect(throws: CertificateFault.self) { try certificate.reload() }
            #expect(certificate.end == good && !certificate.hasEnded())
            #expect(certificate.hasEnded(at: good + 1) && !certificate.hasEnded(at: good))
            // Both have ended, and the file says what the operator wants.
            try certificate.reload(at: good + 1)
            #expect(certificate.end < good && certificate.hasEnded())
            TestCertificate.first.write(to: files.certificate, files.key)
            try certificate.reload()
            #expect(certificate.end == good)
        }
    }

    @Test func `a certificate or a key that cannot be used is refused with the file and the reason`() async throws {
        try await TemporaryFolder.with { folder in
            let (certificate, key) = ("\(folder)/c.pem", "\(folder)/k.pem")
            let files = ServerCertificate.Files(certificate: certificate, key: key)
            func fault() -> String {
                do throws(CertificateFault) {
                    _ = try ServerCertificate(files)
                    return "none"
                } catch {
                    return error.description
                }
            }
            #expect(fault() == "The file \(certificate) cannot be read: No such file or directory.")
            TestCertificate.first.write(to: certificate, key)
            #expect(fault() == "none")
            for mode: mode_t in [0o604, 0o660, 0o666] {
                _ = chmod(key, mode)
                #expect(fault().hasPrefix("The file \(key) can be read by everybody"), "\(mode)")
            }
            _ = chmod(key, 0o640)
            #expect(fault() == "none")
            TemporaryFolder.write(TestCertificate.second.key, to: key)
            #expect(fault().contains("is not the key of the first certificate in \(certificate)"))
            TemporaryFolder.write("hello", to: key)
            #expect(fault().hasPrefix("The file \(key) has no private key"))
            TemporaryFolder.write(TestCertificate.first.key, to: certificate)
            #expect(fault().hasPrefix("The file \(certificate) has no certificate"))
            TemporaryFolder.write("", to: certificate)
            #expect(fault().hasPrefix("The file \(certificate) has no certificate"))
            _ = unlink(certificate)
            _ = mkdir(certificate, 0o700)
            #expect(fault().hasPrefix("The file \(certificate) is not a regular file"))
        }
    }

    // The fault: a rolling restart under load, and each restart loses the requests that were on their way.
    @Test func `a server that stops under load loses no request over TLS`() async throws {
        let tally = BusyClients()
        try await withTLS(configure: { $0.connections.drainingIdle = .ample }) { mortise, _ in
            let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let clients = (0..<8)
                .map { _ in
                    Task { [address = mortise.address] in
                        let client = TLSClient("http/1.1")
                        try await tally.run(request, to: address, prepare: client.prepare) { #expect($0.status == 200) }
                    }
                }
            try await eventually("every connection is busy") { tally.busy.load(ordering: .relaxed) == 8 }
            await mortise.stop()
            for client in clients { try await waiting(for: "a connection ends") { try await client.value } }
        }
        #expect(tally.lost.load(ordering: .relaxed) == 0 && tally.announced.load(ordering: .relaxed) == 8)
    }

    @Test func `the listener can be a socket, which is removed at the stop`() async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/s"
            try await withMortise(configure: { $0.listener = .unixSocket(path: path) }) { mortise in
                try await RawConnection.with(mortise.address) { connection in
                    try await connection.get()
                    #expect(try await connection.answer()?.status == 200)
                }
                var status = stat()
                #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o660)
                // A second server must not take it.
                await #expect(throws: SocketAddressFault.self) {
                    try await withMortise(configure: { $0.listener = .unixSocket(path: path) }) { _ in }
                }
                #expect(access(path, F_OK) == 0)
            }
            #expect(access(path, F_OK) != 0)
        }
    }

    // The fault: a new server has taken the path while the old one ends, and the old one removes its socket.
    @Test func `a server that stops frees the path of its socket before its connections end`() async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/s"
            try await withMortise(configure: {
                $0.listener = .unixSocket(path: path)
                $0.connections.drainingIdle = .ample
                $0.shutdownGrace = .ample
            }) { mortise in
                try await RawConnection.with(mortise.address) { kept in
                    try await kept.get()
                    #expect(try await kept.answer()?.status == 200)
                    await mortise.stop()
                    try await eventually("the path is free") { access(path, F_OK) != 0 }
                    try await kept.get()
                    #expect(try await kept.answer()?.status == 200)
                }
            }
        }
    }
}

/// Runs a server with TLS.
func withTLS<T: Sendable>(
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (ServerHarness, ServerCertificate) async throws -> T
) async throws -> T {
    try await TemporaryFolder.with { folder in
        let files = ServerCertificate.Files(certificate: "\(folder)/c.pem", key: "\(folder)/k.pem")
        TestCertificate.first.write(to: files.certificate, files.key)
        let certificate = try ServerCertificate(files)
        return try await withMortise(configure: {
            $0.certificate = certificate
            configure(&$0)
        }) { try await body($0, certificate) }
    }
}

extension HPACKHeaders {
    /// The headers of a GET request.
    static func get(_ path: String, _ fields: (String, String)...) -> HPACKHeaders {
        HPACKHeaders([(":method", "GET"), (":scheme", "https"), (":path", path), (":authority", "localhost")] + fields)
    }

    /// The headers of a POST request with JSON.
    static func post(_ path: String, as token: String, _ fields: (String, String)...) -> HPACKHeaders {
        let head = [(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "localhost")]
        let more = [("authorization", "Bearer \(token)"), ("content-type", "application/json")]
        return HPACKHeaders(head + more + fields)
    }
}
