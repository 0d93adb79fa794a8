import ArgumentParser
import JSON
import MortiseClient

/// The place of a session issuer's public keys.
struct KeySetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The URL of a JSON Web Key Set: https, or http on the server's own machine.",
            valueName: "url"
        )
    )
    var jwksURL: String?

    @Option(
        help: ArgumentHelp(
            "A file with a JSON Web Key Set, by its absolute path on every node of the server.",
            valueName: "path"
        )
    )
    var jwksFile: String?

    @Option(
        help: ArgumentHelp(
            "A file with a JSON Web Key Set on this machine, which the server stores; - is standard input.",
            valueName: "path"
        )
    )
    var jwks: InputFile?

    private static let rule = "Name the public keys with exactly one of --jwks-url, --jwks-file and --jwks."

    func validate() throws {
        guard [jwksURL, jwksFile, jwks?.path].count(where: { $0 != nil }) == 1 else {
            throw ValidationError(Self.rule)
        }
    }

    /// Returns the source of the keys.
    ///
    /// Reads the file of `--jwks`.
    func source() async throws -> Mortise.SessionIssuer.KeySource {
        if let jwksURL { return .url(jwksURL) }
        if let jwksFile { return .file(jwksFile) }
        guard let jwks else { throw CommandFailure.usage(Self.rule) }
        return .inline(try await Self.keySet(in: jwks))
    }

    /// Reads a key set and refuses private keys.
    private static func keySet(in file: InputFile) async throws -> [String: JSONContent] {
        // The server accepts no larger one.
        let limit = 256 * 1024
        let input = try JSONInput(
            try await file.read(limit: limit, option: "--jwks"),
            limit: limit,
            source: file.name
        )
        guard let keys = input.value["keys"]?.array else {
            throw CommandFailure.usage("\(file.name) is not a JSON Web Key Set, which has a list of keys.")
        }
        // d is the private half of a pair, k a shared secret (RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2).
        guard !keys.contains(where: { $0["d"] != nil || $0["k"] != nil }) else {
            throw CommandFailure.usage(
                "\(file.name) holds a private key. Nothing was sent. Give only the public keys."
            )
        }
        return try input.members()
    }
}
