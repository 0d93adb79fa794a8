import Glibc
import HTTPTestSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TestSupport
import Testing

/// `--ca-file` and `MORTISE_CA_FILE`, with a server whose certificate no system trusts.
@Suite(.hangLimit) struct CertificateTests {
    /// Answers every request with an empty list.
    private final class EmptyList: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .end = unwrapInboundIn(data) else { return }
            let body = ByteBuffer(string: #"{"data":[],"next_cursor":null}"#)
            let headers =
                ["Content-Type": "application/json", "Content-Length": "\(body.readableBytes)"] as HTTPHeaders
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))),
                promise: nil
            )
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    /// Runs the body with the URL of a server with TLS.
    private func withTLSServer(at host: String = "127.0.0.1", _ body: (String) async throws -> Void) async throws {
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificate.first.key.utf8), format: .pem)
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificate.first.certificate.utf8))
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(key)
            )
        )
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(EmptyList())
                }
            }
            .bind(host: host, port: 0).get()
        do {
            try await body("https://\(host):\(channel.localAddress?.port ?? 0)")
            try await channel.close()
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private let list = ["key", "list", "--operator", "--url"]

    @Test func `a server with a certificate of an own authority is trusted with --ca-file or MORTISE_CA_FILE alone`()
        async throws
    {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write(TestCertificate.first.certificate, to: "\(folder)/ca.pem")
            try await withTLSServer { url in
                let refused = try await Program.run(list + [url], environment: ["MORTISE_TOKEN": "t"])
                #expect(refused.code == 3)
                #expect(
                    refused.errors.contains("has a certificate that this system does not trust"),
                    "\(refused.errors)"
                )
                #expect(refused.errors.contains("--ca-file"))
                // The text of the TLS library names files of the machine that built the program.
                #expect(!refused.errors.contains(".cc") && !refused.errors.contains("BoringSSL"))
                let flag = try await Program.run(
                    list + [url, "--ca-file", "\(folder)/ca.pem"],
                    environment: ["MORTISE_TOKEN": "t"]
                )
                #expect(flag.code == 0, "\(flag.everything)")
                let variable = try await Program.run(
                    list + [url],
                    environment: ["MORTISE_TOKEN": "t", "MORTISE_CA_FILE": "\(folder)/ca.pem"]
                )
                #expect(variable.code == 0, "\(variable.everything)")
                // The accident: the wrong file is named, and the error asks for what was given.
                TemporaryFolder.write(TestCertificate.second.certificate, to: "\(folder)/other.pem")
                let other = try await Program.run(
                    list + [url, "--ca-file", "\(folder)/other.pem"],
                    environment: ["MORTISE_TOKEN": "t"]
                )
                #expect(other.code == 3)
                #expect(other.errors.contains("Only the certificates in \(folder)/other.pem"), "\(other.errors)")
                #expect(!other.errors.contains("If an authority of your own"), "\(other.errors)")
            }
        }
    }

    // The fault: the text of the TLS library, which says "Couldn't find <none>".
    @Test func `a certificate for another name is reported as such`() async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write(TestCertificate.first.certificate, to: "\(folder)/ca.pem")
            try await withTLSServer(at: "127.0.0.2") { url in
                let outcome = try await Program.run(
                    list + [url, "--ca-file", "\(folder)/ca.pem"],
                    environment: ["MORTISE_TOKEN": "t"]
                )
                #expect(outcome.code == 3)
                #expect(outcome.errors.contains("\(url) has a certificate for another name."), "\(outcome.errors)")
                #expect(!outcome.errors.contains("NIOSSL"), "\(outcome.errors)")
            }
        }
    }

    @Test func `TLS to a port without TLS says so`() async throws {
        try await ScriptedServer.with(Sample.success) { server in
            let url = "https://127.0.0.1:\(server.port)"
            let outcome = try await Program.run(list + [url], environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 3)
            #expect(outcome.errors.contains("does not use TLS on this port"), "\(outcome.errors)")
        }
    }

    @Test func `a file without a certificate is refused before anything is sent`() async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write("hello", to: "\(folder)/ca.pem")
            let outcome = try await Program.run(
                list + ["https://127.0.0.1:1", "--ca-file", "\(folder)/ca.pem"],
                environment: ["MORTISE_TOKEN": "t"]
            )
            #expect(outcome.code == 64 && outcome.errors.contains("holds no certificate"), "\(outcome.errors)")
        }
    }

    // The fault: a certificate is renewed, and the server has to be restarted, or stops because the new file is broken.
    @Test func `the command line reaches a server with TLS, and SIGHUP renews its certificate without a restart`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let (certificate, key) = ("\(installation.folder)/server.pem", "\(installation.folder)/server.key")
            TestCertificate.first.write(to: certificate, key)
            try await installation.serve(["--tls-certificate", certificate, "--tls-key", key]) { program in
                let variables = [
                    "MORTISE_URL": "https://127.0.0.1:\(try await program.port())",
                    "MORTISE_TOKEN": installation.operatorToken,
                    "MORTISE_CA_FILE": certificate,
                ]
                let first = try await Program.run(["status"], environment: variables)
                #expect(first.code == 0 && first.output.contains("primary"), "\(first.everything)")
                TemporaryFolder.write("broken", to: certificate)
                program.terminate(SIGHUP)
                try await eventually("the broken certificate is reported") {
                    program.log.contains("the one in use stays") && program.log.contains("has no certificate")
                }
                TestCertificate.ended.write(to: certificate, key)
                program.terminate(SIGHUP)
                try await eventually("the certificate that has ended is reported") {
                    program.log.contains("has a certificate that ended on Fri, 01 Jan 2021 00:00:00 GMT")
                }
                #expect(!program.log.contains("the TLS certificate was read again"))
                TestCertificate.first.write(to: certificate, key)
                #expect(try await Program.run(["status"], environment: variables).code == 0)
                program.terminate(SIGHUP)
                try await eventually("the certificate is read again") {
                    program.log.contains("the TLS certificate was read again")
                }
                #expect(try await Program.run(["status"], environment: variables).code == 0)
            }
            for (name, text) in [("key of another", TestCertificate.second.key), ("no key", "broken")] {
                TemporaryFolder.write(text, to: key)
                let outcome = try await Program.run(
                    ["serve", "--tls-certificate", certificate, "--tls-key", key],
                    environment: installation.serveVariables()
                )
                #expect(
                    outcome.code == 1 && outcome.errors.contains("The file \(key) "),
                    "\(name): \(outcome.everything)"
                )
                #expect(outcome.errors.contains("--tls-key (MORTISE_TLS_KEY)"), "\(outcome.errors)")
            }
        }
    }
}
