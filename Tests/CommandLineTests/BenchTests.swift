import Connections
import Glibc
import JSON
import Locks
import NIOCore
import NIOPosix
import TestSupport
import Testing
import mortise

/// `mortise bench`, the load tool.
@Suite(.hangLimit(.seconds(900))) struct BenchTests {
    // MARK: Parts

    @Test func `answers are read whole, in pieces of any size`() throws {
        let first = "HTTP/1.1 200 OK\r\nX: a\r\nCONTENT-Length: 5\r\n\r\nhello"
        let second = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nConnection: close\r\n\r\n"
        let third = "HTTP/1.1 204 No Content\r\n\r\n"
        let text = first + second + third
        for size in 1...text.utf8.count {
            var parser = AnswerParser()
            var answers: [BenchAnswer] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                var bytes = ByteBuffer(bytes: rest.prefix(size))
                rest = rest.dropFirst(size)
                parser.receive(&bytes)
                while let answer = try parser.next() { answers.append(answer) }
            }
            #expect(answers.map(\.status) == [200, 401, 204], "\(size)")
            #expect(answers.map { String(buffer: $0.body) } == ["hello", "", ""])
            #expect(answers.map(\.closes) == [false, true, false])
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2 a longer line\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "\r\n\r\n",
    ])
    func `an answer that the tool does not understand is a fault, and not a count`(_ text: String) {
        var parser = AnswerParser()
        var bytes = ByteBuffer(string: text)
        parser.receive(&bytes)
        #expect(throws: BenchAnswerFault.self) { _ = try parser.next() }
    }

    @Test func `quantiles are exact to 1 percent, and the longest latency is exact`() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == 0 && histogram.quantile(1) == 0)
        for value in 1...100_000 as ClosedRange<Int64> { histogram.record(value * 1000) }
        for (share, exact) in [(0.5, 50_000), (0.9, 90_000), (0.99, 99_000), (0.999, 99_900)] as [(Double, Int64)] {
            let value = histogram.quantile(share)
            #expect(value >= exact * 1000 && value <= exact * 1010, "\(share): \(value)")
        }
        #expect(histogram.quantile(1) == 100_000_000)
        #expect(histogram.quantile(0) == 1000 || histogram.quantile(0) < 1010)
        var other = LatencyHistogram()
        for value in [-1, 0, 1, .max] as [Int64] { other.record(value) }
        histogram.merge(other)
        #expect(histogram.count == 100_004)
        #expect(histogram.quantile(1) == 1 << 40)
    }

    @Test func `a mix is shares of any sum, and each kind has at least one token`() throws {
        let mix = try #require(BenchMix(argument: "valid=999,revoked=1,expired=0"))
        #expect(mix.description == "valid=999,revoked=1")
        #expect(mix.numbers(of: 10).map(\.number) == [9, 1])
        var randomness = SplitMix64(seed: 1)
        let order = mix.order(length: 1000, tokens: [9, 1], using: &randomness)
        #expect(order.count == 1000 && order.count { $0 == 9 } == 1)
        #expect(Set(order) == Set(0..<10))
        for wrong in [
            "", "valid", "valid=", "valid=-1", "valid=0", "valid=1,valid=1", "other=1", "valid=1,", "valid=1=2",
        ] {
            #expect(BenchMix(argument: wrong) == nil, "\(wrong)")
        }
    }

    // The fault: a server stalls once. A generator that waits for it hides all requests that were due meanwhile.
    @Test func `with a rate, requests that a stall delayed count from the time at which they were due`() async throws {
        let server = try await StallingServer.start(stall: .milliseconds(500))
        let generator = LoadGenerator(
            place: .tcp(host: "127.0.0.1", port: server.port),
            plan: LoadPlan(requests: [.plain(host: "a")], order: [0], interval: .milliseconds(10)),
            connections: 1,
            duration: .seconds(1)
        )
        let (result, _) = try await generator.run()
        await server.stop()
        #expect(result.wrong == 0 && result.lost == 0)
        #expect(result.answers + result.missed == 100)
        // A stall of half the time: without the correction one latency of a hundred is long.
        #expect(result.latencies.quantile(0.7) > 20_000_000)
    }

    // The fault: a slow rate over many connections was exceeded, because each connection sent at least one request.
    @Test func `a rate holds for many connections, and those whose turn comes after the end send nothing`()
        async throws
    {
        let server = try await StallingServer.start(stall: .zero)
        let generator = LoadGenerator(
            place: .tcp(host: "127.0.0.1", port: server.port),
            plan: LoadPlan(requests: [.plain(host: "a")], order: [0], interval: .seconds(1000)),
            connections: 20,
            duration: .milliseconds(1)
        )
        let (result, _) = try await generator.run()
        await server.stop()
        #expect(result.wrong == 0 && result.lost == 0)
        #expect(result.answers + result.missed == 1)
    }

    @Test func `a server that never answers ends the measurement, and its connections count as lost`() async throws {
        let server = try await StallingServer.start(stall: .hours(1))
        let generator = LoadGenerator(
            place: .tcp(host: "127.0.0.1", port: server.port),
            plan: LoadPlan(requests: [.plain(host: "a")], order: [0], interval: nil),
            connections: 3,
            duration: .seconds(3600)
        )
        let run = Task { try await generator.run() }
        try await eventually("the connections are measured") { server.requests >= 6 }
        run.cancel()
        let (result, _) = try await run.value
        await server.stop()
        #expect(result.lost == 3 && result.answers == 0)
    }

    // MARK: The program

    @Test func `each way of asking is driven with right answers, and nothing is left behind`() async throws {
        try await ProcessInstallation.with { installation in
            let socket = "\(installation.folder)/gateway.sock"
            try await installation.serve(["--gateway-listen", "unix:\(socket)"]) { program in
                let url = "http://127.0.0.1:\(try await program.port())"
                let variables = ["MORTISE_TOKEN": installation.operatorToken, "MORTISE_URL": url]
                let databases = try await installation.workspaceDatabases()
                for flags in [["--verify", "--rate", "200"], ["--authorize"], ["--gateway", "unix:\(socket)"]] {
                    let mix = "valid=60,revoked=10,expired=10,disabled=10,garbage=10"
                    // Long enough for a token of each kind.
                    let duration = "\(Duration.seconds(1).onThisMachine.components.seconds)s"
                    let size = ["--duration", duration, "--connections", "4", "--keys", "10", "--workspaces", "2"]
                    let outcome = try await Program.run(
                        ["bench", "--json", "--mix", mix] + size + flags,
                        environment: variables
                    )
                    #expect(outcome.code == 0, "\(flags): \(outcome.everything)")
                    let report = try JSONValue(parsing: outcome.output.utf8)
                    #expect(report["wrong"] == 0 && report["lost_connections"] == 0, "\(report)")
                    #expect(report["right"]?.object?.members.count == 5, "\(report)")
                    #expect(report["latency_ms"]?["p99.9"] != nil)
                    #expect(!outcome.everything.contains("mka_") && !outcome.everything.contains("mks_"))
                }
                let text = try await Program.run(["bench", "--duration", "1s"], environment: variables)
                #expect(
                    text.code == 0 && text.output.contains("per second") && text.output.contains("p99.9"),
                    "\(text)"
                )
                try await expectNothingLeft(installation, program, databases)
            }
        }
    }

    // The fault: the organization was made on the server of the profile, and the load went to the default address.
    @Test func `the server of the profile is driven`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                let url = "http://127.0.0.1:\(try await program.port())"
                TemporaryFolder.write(installation.operatorToken, to: "\(installation.folder)/token")
                let home = ["HOME": installation.folder]
                let login = try await Program.run(
                    ["login", "--token-file", "\(installation.folder)/token", "--url", url],
                    environment: home
                )
                #expect(login.code == 0, "\(login.everything)")
                let databases = try await installation.workspaceDatabases()
                let bench = try await Program.run(["bench", "--json", "--duration", "1s"], environment: home)
                #expect(bench.code == 0, "\(bench.everything)")
                #expect(try JSONValue(parsing: bench.output.utf8)["wrong"] == 0)
                try await expectNothingLeft(installation, program, databases)
            }
        }
    }

    // The fault: the admin key of the load was used without the certificates that --ca-file names.
    @Test func `the load on a gateway listener is prepared on a server with a certificate of an own authority`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let (certificate, key) = ("\(installation.folder)/server.pem", "\(installation.folder)/server.key")
            TestCertificate.first.write(to: certificate, key)
            let socket = "unix:\(installation.folder)/gateway.sock"
            let listen = ["--gateway-listen", socket, "--tls-certificate", certificate, "--tls-key", key]
            try await installation.serve(listen) { program in
                let variables = [
                    "MORTISE_URL": "https://127.0.0.1:\(try await program.port())",
                    "MORTISE_TOKEN": installation.operatorToken,
                    "MORTISE_CA_FILE": certificate,
                ]
                let bench = try await Program.run(
                    ["bench", "--json", "--duration", "1s", "--workspaces", "2", "--gateway", socket],
                    environment: variables
                )
                #expect(bench.code == 0, "\(bench.everything)")
                let refused = try await Program.run(["bench", "--duration", "1s"], environment: variables)
                #expect(refused.code == 64 && refused.errors.contains("plain HTTP"), "\(refused.everything)")
            }
        }
    }

    // The operator has seen enough, a supervisor stops the job, or the connection to the terminal breaks.
    @Test func `Ctrl-C, SIGTERM and a terminal that closes end the load and remove the organization`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                let url = "http://127.0.0.1:\(try await program.port())"
                let variables = ["MORTISE_TOKEN": installation.operatorToken, "MORTISE_URL": url]
                let databases = try await installation.workspaceDatabases()
                for signal in [SIGINT, SIGTERM, SIGHUP] {
                    try await interrupt(by: signal, installation, variables, databases)
                    try await expectNothingLeft(installation, program, databases)
                }
            }
        }
    }

    private func interrupt(
        by signal: CInt,
        _ installation: ProcessInstallation,
        _ variables: [String: String],
        _ databases: Set<String>
    ) async throws {
        try await TemporaryFolder.with { folder in
            let outcome = try await RunningProgram.with(["bench", "--duration", "1h"], variables, in: folder) { bench in
                try await eventually("keys are verified", within: .seconds(60)) {
                    if bench.hasEnded { throw RunningProgram.Ended(log: bench.log) }
                    let names = try await installation.workspaceDatabases()
                    guard let made = names.first(where: { !databases.contains($0) }) else { return false }
                    return try await installation.finds("SELECT 1 FROM auth.key_usage_hourly", in: made)
                }
                bench.terminate(signal)
                try await eventually("the organization is being removed", within: .seconds(60)) {
                    bench.log.contains("Removing the organization")
                }
                // A shell and the kernel both send SIGHUP.
                if signal == SIGHUP { bench.terminate(signal) }
                try await bench.waitForEnd()
            }
            #expect(outcome.code == 130, "\(signal)")
        }
    }

    // The typing error costs nothing: no organization was created that must be removed again.
    @Test func `a gateway listener that cannot be reached is named before anything is created`() async throws {
        try await TemporaryFolder.with { folder in
            let socket = "unix:\(folder)/gateway.sock"
            TemporaryFolder.write("", to: "\(folder)/file")
            for (address, reason) in [
                (socket, "no such file or directory"),
                ("unix:\(folder)/file", "nothing listens there (connection refused)"),
                ("unix:/\(String(repeating: "long", count: 50))", "the path is too long for a socket"),
                ("127.0.0.1:1", "nothing listens there (connection refused)"),
            ] {
                // The server of the URL does not exist either, so a call to it would have another message.
                let outcome = try await Program.run(
                    ["bench", "--gateway", address],
                    environment: ["MORTISE_TOKEN": Program.credential, "MORTISE_URL": "http://127.0.0.1:2"]
                )
                #expect(outcome.code == 3, "\(outcome.everything)")
                #expect(outcome.errors.contains("\(address) cannot be reached: \(reason)."), "\(outcome.errors)")
                #expect(outcome.errors.contains("--gateway-listen \(address)"), "\(outcome.errors)")
                #expect(!outcome.errors.contains("organization"), "\(outcome.errors)")
            }
        }
    }

    private func expectNothingLeft(
        _ installation: ProcessInstallation,
        _ program: RunningProgram,
        _ databases: Set<String>
    ) async throws {
        let list = try await installation.call(
            "GET",
            "/v1/organizations",
            port: try await program.port(),
            token: installation.operatorToken
        )
        #expect(list.body["data"]?.array?.compactMap { $0["slug"]?.string } == ["default"])
        #expect(try await installation.workspaceDatabases() == databases)
    }
}

extension PreparedRequest {
    fileprivate static func plain(host: String) -> PreparedRequest {
        let bytes = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        return PreparedRequest(kind: .valid, bytes: bytes, status: 200)
    }
}

/// A server that answers each request of a connection at once, except the second, which waits.
private final class StallingServer: Sendable {
    private let listener: any Channel
    private let count: RequestCount
    let port: Int

    var requests: Int { count.value }

    private init(_ listener: any Channel, _ port: Int, _ count: RequestCount) {
        self.listener = listener
        self.port = port
        self.count = count
    }

    static func start(stall: TimeAmount) async throws -> StallingServer {
        let count = RequestCount()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(stall, count))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return StallingServer(listener, try #require(listener.localAddress?.port), count)
    }

    func stop() async { try? await listener.close().get() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let stall: TimeAmount
        private let total: RequestCount
        private var number = 0

        init(_ stall: TimeAmount, _ total: RequestCount) {
            self.stall = stall
            self.total = total
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            // The client has one request under way, which fits one read.
            number += 1
            total.add()
            guard number == 2 else { return answer(context) }
            context.eventLoop.assumeIsolated().scheduleTask(in: stall) { [self] in answer(context) }
        }

        private func answer(_ context: ChannelHandlerContext) {
            let bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        }
    }
}

/// A number that threads share.
private final class RequestCount: Sendable {
    private let number = Locked(0)
    func add() { number.withLock { $0 += 1 } }
    var value: Int { number.withLock(\.self) }
}
