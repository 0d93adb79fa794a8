import MortiseClient

extension Names {
    /// Returns the failure of a request that found nothing, with the name that is wrong.
    ///
    /// Any other failure is returned as it is. The server tells nobody which name is wrong, because that would tell
    /// strangers what exists. So the credential looks for itself.
    func explaining(_ failure: CommandFailure) async -> CommandFailure {
        guard failure.isNotFound else { return failure }
        for name in unverified {
            switch name {
            case .organization(let name):
                if await isMissing({ client throws(MortiseError) in _ = try await client.organizations.get(name) }) {
                    return await noOrganization(name)
                }
            case .workspace(let name):
                if await isMissing({ client throws(MortiseError) in _ = try await client.workspaces.get(name) }) {
                    return await noWorkspace(name)
                }
            case .id(let id, let noun, let list):
                return .missing(noun, id, near: [], list: list)
            }
        }
        return failure
    }

    private func isMissing(_ call: @escaping @Sendable (Mortise) async throws(MortiseError) -> Void) async -> Bool {
        do throws(CommandFailure) {
            try await read(call)
            return false
        } catch {
            return error.isNotFound
        }
    }
}

extension CommandFailure {
    /// Returns the failure for a name that means nothing that the credential can see.
    ///
    /// - Parameters:
    ///   - noun: The kind of object, such as "workspace".
    ///   - name: The name.
    ///   - place: The end of the sentence, such as " in the organization acme".
    ///   - near: The names that exist, each with another text that can be near.
    ///   - lists: The commands that list the objects, without `mortise`.
    /// - Returns: The failure, of kind `refused`.
    static func missing(
        _ noun: String,
        _ name: String,
        in place: String = "",
        near: [(name: String, other: String)],
        lists: [String]
    ) -> CommandFailure {
        let near = near.map { (name: $0.name.printable.cut(to: 60), other: $0.other) }
        var details = NearestName.suggestion(for: name, among: near).map { ["Did you mean \($0)?"] } ?? []
        let commands = lists.map { "`mortise \($0)`" }.joined(separator: " and ")
        details.append("\(commands) list\(lists.count == 1 ? "s" : "") what this credential can see.")
        return CommandFailure(.refused, "There is no \(noun) \"\(name)\"\(place).", details: details)
    }

    /// Returns the failure for a name of objects that one command lists.
    static func missing(
        _ noun: String,
        _ name: String,
        in place: String = "",
        near: [(name: String, other: String)],
        list: String
    ) -> CommandFailure {
        missing(noun, name, in: place, near: near, lists: [list])
    }

    /// Returns the failure for a name that means several objects.
    ///
    /// - Parameters:
    ///   - noun: The kind of object, such as "workspace".
    ///   - name: The name.
    ///   - candidates: The objects that it can mean.
    ///   - fate: A sentence about the changes so far.
    /// - Returns: The failure, of kind `usage`.
    static func ambiguous(
        _ noun: String,
        _ name: String,
        _ candidates: [String],
        fate: String = "Nothing was changed."
    ) -> CommandFailure {
        // Tenants choose names, and a line break in one must not begin a line of this message.
        let shown = candidates.prefix(10).map(\.printable)
        let more = candidates.count > shown.count ? ["and \(candidates.count - shown.count) more"] : []
        return .usage(
            "\"\(name)\" means \(candidates.count) \(noun)s. \(fate) Name one of them:",
            details: shown + more
        )
    }
}
