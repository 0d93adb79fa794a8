import ArgumentParser
import JSON

/// Where the public keys of a session issuer are.
struct KeySetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The URL of a JSON Web Key Set; https, or http to the server itself.", valueName: "url")
    )
    var jwksURL: String?

    @Option(help: ArgumentHelp("A file with one on every node of the server.", valueName: "path"))
    var jwksFile: String?

    @Option(
        help: ArgumentHelp("A file with one here, which the server stores; - is standard input.", valueName: "path")
    )
    var jwks: String?

    func validate() throws {
        guard [jwksURL, jwksFile, jwks].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("Say where its keys are: exactly one of --jwks-url, --jwks-file and --jwks.")
        }
    }

    /// Whether standard input is spoken for.
    var takesStandardInput: Bool { jwks == "-" }

    /// The member of the body that says it.
    func member() async throws -> (name: String, value: JSONValue) {
        if let jwksURL { return ("jwks_url", .string(jwksURL)) }
        if let jwksFile { return ("jwks_file", .string(jwksFile)) }
        return ("jwks", try await keySet(in: jwks ?? "-"))
    }

    private func keySet(in path: String) async throws -> JSONValue {
        // What the server takes at most.
        let limit = 256 * 1024
        let name = path == "-" ? "Standard input" : "The file \(path)"
        let bytes: [UInt8]
        do {
            bytes = try await FileAccess.read(path, limit: limit)
        } catch let fault as FileAccess.Fault {
            throw CommandFailure.usage("\(name), which --jwks names, cannot be read: \(fault.reason).")
        }
        let set: JSONValue
        do throws(JSONError) {
            set = try JSONValue(parsing: bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            throw CommandFailure.usage("\(name) is \(error).")
        }
        guard let keys = set["keys"]?.array else {
            throw CommandFailure.usage("\(name) is not a JSON Web Key Set, which has a list of keys.")
        }
        // d is the private half of a pair, k a shared secret (RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2).
        guard !keys.contains(where: { $0["d"] != nil || $0["k"] != nil }) else {
            throw CommandFailure.usage("\(name) holds a private key; nothing was sent. Give the public ones.")
        }
        return set
    }
}
