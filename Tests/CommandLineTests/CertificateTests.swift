import HTTPTestSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TestSupport
import Testing

/// `--ca-file` and `MORTISE_CA_FILE`, with a server whose certificate no system trusts.
@Suite(.hangLimit) struct CertificateTests {
    /// A certificate for 127.0.0.1, valid until 2126, which signed itself.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBbDCCAROgAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxtb3J0aXNl
        IHRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyNjAxMDEwMDAwMDBaMBcxFTATBgNV
        BAMMDG1vcnRpc2UgdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMqRmqiB
        isvEzlmW6v+zrEJO/2cyhpa+MvWNZBn+UhGeW6vves6rEvvd2u3tomdvxJ8E+7tQ
        Tg5/J7yudrudS+6jTjBMMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFCaBfe0R
        rmdawRUHfa25AMYA37pSMBoGA1UdEQQTMBGHBH8AAAGCCWxvY2FsaG9zdDAKBggq
        hkjOPQQDAgNHADBEAiBX23yKmiGxt7o7r2kZuiV35qFBUaRRdFBt5TCDlHI0vwIg
        RorCIUN9ZhrqWSzlSf1G53dsZHRLmffXV7DkVVYuOWc=
        -----END CERTIFICATE-----
        """

    // The key of a test. It protects nothing.
    private static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDemn76KlKHOZ+vQJ
        eibVz0jK9YZYCd69yFuLY21lOAuhRANCAATKkZqogYrLxM5Zlur/s6xCTv9nMoaW
        vjL1jWQZ/lIRnlur73rOqxL73drt7aJnb8SfBPu7UE4Ofye8rna7nUvu
        -----END PRIVATE KEY-----
        """

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
    private func withTLSServer(_ body: (String) async throws -> Void) async throws {
        let key = try NIOSSLPrivateKey(bytes: Array(Self.privateKey.utf8), format: .pem)
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(Self.certificate.utf8))
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
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body("https://127.0.0.1:\(channel.localAddress?.port ?? 0)")
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
            TemporaryFolder.write(Self.certificate, to: "\(folder)/ca.pem")
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
}
