import ArgumentParser
import MortiseClient

/// Which server is called, and as whom.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server. Environment: MORTISE_URL. (default: \(ServerURL.standard))",
            valueName: "url"
        )
    )
    var url: String?

    @Option(
        help: ArgumentHelp(
            """
            A file that holds the credential; - is standard input. Without it MORTISE_TOKEN is used, else the token is \
            asked for on the terminal. There is no option that takes the token itself: ps would show it.
            """,
            valueName: "path"
        )
    )
    var tokenFile: String?

    @Option(help: ArgumentHelp("How many seconds one request may take, 1 to 3600.", valueName: "seconds"))
    var timeout = 30

    @Flag(help: "Send the credential over plain HTTP to another machine, where everyone on the way can read it.")
    var plainHTTP = false

    func validate() throws {
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout is from 1 to 3600 seconds.") }
    }

    /// Whether standard input is spoken for.
    var takesStandardInput: Bool { tokenFile == "-" }

    /// The server that is meant.
    func server() throws(CommandFailure) -> ServerURL {
        if let url { return try ServerURL(url, from: "--url") }
        return try ServerURL(Environment.value("MORTISE_URL") ?? ServerURL.standard, from: "MORTISE_URL")
    }

    /// Calls the body with a client that has its credential.
    func withClient<Value: Sendable>(_ body: (CommandClient) async throws -> Value) async throws -> Value {
        let server = try server()
        guard server.isEncrypted || server.isLocal || plainHTTP else {
            throw CommandFailure.usage(
                "\(server.text) is not encrypted, and the credential would cross the network in the clear.",
                details: ["Use https://, or say --plain-http if the network in between is your own."]
            )
        }
        let credential = try await Credential.find(file: tokenFile)
        return try await body(CommandClient(server, credential: credential, timeout: .seconds(timeout)))
    }
}
