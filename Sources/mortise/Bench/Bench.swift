import ArgumentParser
import Connections
import FoundationEssentials
import GatewayAPI
import Keys
import MortiseClient
import NIOCore

/// The `mortise bench` command.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the throughput and the latency of a running server.",
        discussion: HelpText.discussion(
            """
            Creates an organization of its own with workspaces and keys, verifies their tokens for some time, prints throughput and
            latencies, and removes the organization again, also after Ctrl-C, SIGTERM or the end of the terminal. --verify, the
            default, sends POST /v1/verify. --authorize sends the checks of a gateway, and --gateway sends them to a gateway
            listener.

            Without --rate, each connection sends its next request after each answer. With --rate, requests are due at fixed times,
            and a latency counts from then, so that a server that stalls does not hide it (coordinated omission).
            """,
            needs: HelpText.operatorKey,
            examples: [
                "bench", "bench --rate 5000 --duration 60s --workspaces 10 --keys 1000",
                "bench --gateway unix:/run/mortise/gateway.sock --mix valid=100 --json",
            ],
            exits: """
                0 every answer was right, 1 refused by the server or a wrong answer, 3 no Mortise answers, 64 usage error, \
                74 output error, 130 interrupted
                """
        )
    )

    @Option(
        help: ArgumentHelp(
            "Send the checks of a gateway to this listener: HOST:PORT or unix:PATH.",
            valueName: "address"
        )
    )
    var gateway: String?

    @Flag(help: "Send the checks of a gateway instead of POST /v1/verify.")
    var authorize = false

    @Flag(help: "Send POST /v1/verify. This is the default without --gateway.")
    var verify = false

    @Option(help: ArgumentHelp("The time to measure, such as 10s or 5m.", valueName: "time"))
    var duration = "10s"

    @Option(help: ArgumentHelp("The number of connections, 1 to 10000.", valueName: "count"))
    var connections = 64

    @Option(
        help: ArgumentHelp(
            "Requests per second over all connections. (default: as many as possible)",
            valueName: "count"
        )
    )
    var rate: Int?

    @Option(help: ArgumentHelp("The number of workspaces, 1 to 1000.", valueName: "count"))
    var workspaces = 1

    @Option(help: ArgumentHelp("The number of keys over all workspaces, 1 to 100000.", valueName: "count"))
    var keys = 100

    @Option(
        help: ArgumentHelp("The shares of tokens: valid, revoked, expired, disabled and garbage.", valueName: "shares")
    )
    var mix = BenchMix.standard

    @Flag(name: .long, help: "Print JSON instead of text.")
    var json = false

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard (1...10_000).contains(connections) else { throw ValidationError("--connections must be 1 to 10000.") }
        guard (1...1000).contains(workspaces) else { throw ValidationError("--workspaces must be 1 to 1000.") }
        guard (1...100_000).contains(keys) else { throw ValidationError("--keys must be 1 to 100000.") }
        guard rate.map({ (1...10_000_000).contains($0) }) ?? true else {
            throw ValidationError("--rate must be 1 to 10000000.")
        }
        guard let time = LengthOfTime(argument: duration), (1...86_400).contains(time.seconds) else {
            throw ValidationError("--duration must be 1s to 1d, such as 10s or 5m.")
        }
        guard !verify || !authorize && gateway == nil else {
            throw ValidationError("Use --verify without --authorize and --gateway.")
        }
        if let gateway {
            guard let address = GatewayAddress(gateway), !address.hasProxyHeader else {
                throw ValidationError("--gateway must be HOST:PORT or unix:PATH.")
            }
        }
    }

    func run() async throws {
        let client = try await connection.client()
        let target = try target(of: client.url)
        let organization = BenchStage.Organization()
        // Nothing is created for an address that cannot be reached.
        try await target.check()
        try note("Creating the organization \(organization.slug) with \(workspaces) workspaces and \(keys) keys.")
        if workspaces > 50 {
            try note("This takes about \(workspaces / 5) seconds: an organization creates five workspaces a second.")
        }
        let outcome = await Interrupt.cancelling { await measure(target, organization, client) }
        try await remove(organization, after: outcome, client)
        let report = try outcome.get()
        if json { try Output.line(report.json.outputText) } else { for line in report.lines { try Output.line(line) } }
        guard report.result.wrong == 0, report.result.lost == 0, report.result.answers > 0 else {
            throw CommandFailure(.refused, "Some answers were wrong or missing.")
        }
    }

    /// Removes the organization, if it exists.
    private func remove(
        _ organization: BenchStage.Organization,
        after outcome: Result<BenchReport, CommandFailure>,
        _ client: ServerClient
    ) async throws {
        // The server may have created an organization whose answer nobody waited for.
        if organization.created == nil, case .failure(let failure) = outcome, failure.kind != .interrupted { return }
        if !json { Output.notice("Removing the organization \(organization.slug).") }
        let removal = Request { client throws(MortiseError) in
            try await BenchStage.remove(organization.created ?? organization.slug, client)
        }
        do throws(CommandFailure) {
            _ = try await client.answer(to: removal, .cleanUp)
        } catch {
            throw error.adding("The organization \(organization.slug) may still exist.")
                .adding("Suspend its workspaces, and delete it with `mortise organization delete`.")
        }
    }

    private func note(_ text: String) throws {
        if !json { try Output.error(text) }
    }

    private func measure(
        _ target: BenchTarget,
        _ organization: BenchStage.Organization,
        _ client: ServerClient
    ) async -> Result<BenchReport, CommandFailure> {
        let size = BenchStage.Size(workspaces: workspaces, keys: keys, mix: mix)
        do throws(CommandFailure) {
            let request = Request { client throws(MortiseError) in try await BenchStage.make(size, organization, client)
            }
            let stage = try await client.value(of: request)
            return .success(try await drive(target, stage))
        } catch {
            return .failure(error)
        }
    }

    private func drive(_ target: BenchTarget, _ stage: BenchStage) async throws(CommandFailure) -> BenchReport {
        var randomness = SystemRandomNumberGenerator()
        let numbers = mix.shares.map { share in stage.tokens.count { $0.kind == share.kind } }
        let order = mix.order(length: max(4096, 4 * stage.tokens.count), tokens: numbers, using: &randomness)
        let interval = rate.map { TimeAmount.nanoseconds(max(1, Int64(connections) * 1_000_000_000 / Int64($0))) }
        let seconds = LengthOfTime(argument: duration)?.seconds ?? 10
        _ = DescriptorLimit.raise()
        let generator = LoadGenerator(
            place: target.place,
            plan: LoadPlan(
                requests: stage.tokens.map { target.call.request($0, of: stage) },
                order: order,
                interval: interval
            ),
            connections: connections,
            duration: .seconds(seconds)
        )
        do {
            let (result, time) = try await generator.run()
            if Task.isCancelled { throw CommandFailure(.interrupted, "Interrupted.") }
            return BenchReport(result: result, time: time, rate: rate)
        } catch let failure as CommandFailure {
            throw failure
        } catch is CancellationError {
            throw CommandFailure(.interrupted, "Interrupted.")
        } catch {
            throw target.failure(error)
        }
    }

    private func target(of server: ServerURL) throws -> BenchTarget {
        if let gateway, let address = GatewayAddress(gateway) {
            let call = BenchCall(kind: .gateway, prefix: "", host: "mortise.invalid")
            return BenchTarget(place: address.place, name: gateway, call: call)
        }
        return try BenchTarget(server, authorize ? .authorize : .verify)
    }
}
