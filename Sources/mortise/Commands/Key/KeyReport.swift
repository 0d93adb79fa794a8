import MortiseClient

extension Report {
    /// The text after a change of a key.
    static func changed(_ verb: String, _ key: Mortise.Key, _ members: [String] = ["status"]) -> Report {
        Report(sentence: "\(verb) the key \(key.name) (\(key.prefix)).", members: ["id"] + members)
    }
}

extension ObjectCommand where Object == Mortise.Key {
    /// Looks up the names of the actors in a key's history.
    func prepare(_ key: Mortise.Key, _ names: Names) async {
        guard let actor = key.revokedBy else { return }
        let organization = actor.hasPrefix("operator-key:") ? nil : try? await names.organization(nil)
        await names.learnActors([actor], organization: organization, workspace: key.workspaceID)
    }
}
