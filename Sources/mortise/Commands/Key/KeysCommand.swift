import JSON
import MortiseClient

/// A command that changes one key, or several keys together.
///
/// Several keys are one request: all of them are changed, or none.
protocol KeysCommand: ObjectCommand where Object == Mortise.Key {
    var targets: KeyTargets { get }

    /// The change in the past tense, such as "Revoked".
    var verb: String { get }

    /// Returns the request for one key.
    func request(_ key: NamedKey) -> Request<Mortise.Key>

    /// Returns the request for several keys of a collection.
    func request(_ ids: [String], _ collection: KeyCollection) -> Request<[Mortise.Key]>
}

extension KeysCommand {
    private static var noKey: CommandFailure {
        .usage("Name a key: by its name, its id, or the first characters of its token.")
    }

    func request(_ names: Names) async throws -> Request<Mortise.Key> {
        guard let key = try await names.keys(targets).first else { throw Self.noKey }
        return request(key)
    }

    func run() async throws {
        guard targets.key.count > 1 else { return try await carryOut() }
        try checkConsent()
        let names = try await names()
        let answer = try await names.explained {
            try await confirm(names)
            let keys = try await names.keys(targets)
            guard let first = keys.first else { throw Self.noKey }
            return try await names.answer(to: request(keys.map(\.id), first.collection))
        }
        let keys = answer.value
        switch options.call.output.format {
        case .text:
            try Output.line("\(verb) \(keys.count) \(keys.count == 1 ? "key" : "keys").")
            for key in keys {
                try Output.line("\(key.id)  \(key.status.rawValue)  \(key.prefix)  \(key.name)".printable)
            }
        case .json: try Output.line(JSONValue.array(answer.json["data"]?.array ?? []).outputText)
        case .quiet: for key in keys { try Output.line(key.id.printable) }
        }
    }
}
