import Connections
import TestSupport
import Testing
import mortise

/// The documentation of the settings agrees with their declarations.
@Suite struct SettingsDocumentTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    private func text(_ path: String) throws -> String {
        try #require(TemporaryFolder.text("\(Self.root)/\(path)"), "\(path) is missing")
    }

    /// The table of settings that `docs/operations.md` must contain.
    private static var table: String {
        let head = ["| member | flag | values | default |", "|---|---|---|---|"]
        let rows = Settings.members.map { setting in
            let members = setting.members.map { "`\($0)`" }.joined(separator: ", ")
            return "| \(members) | `\(setting.flag)` | \(setting.expected) | \(setting.defaultText) |"
        }
        return (head + rows).joined(separator: "\n")
    }

    @Test func `the documented table of settings equals the declarations`() throws {
        let page = try text("docs/operations.md")
        #expect(page.contains(Self.table), "docs/operations.md must have this table:\n\(Self.table)")
        let file = Settings.settingsFile.declaration
        for name in [file.flag, file.variable, SettingsFile.standardPath] { #expect(page.contains("`\(name)`")) }
    }

    private func serve(_ text: String) throws -> ServeSettings {
        let file = try SettingsFile(parsing: Array(text.utf8), path: "example")
        let reader = SettingReader(flags: [], environment: [:], file: file)
        #expect(reader.warnings == [])
        return try ServeSettings(reader, isTerminal: false)
    }

    @Test func `the example in the operations page is a settings file`() throws {
        let page = try text("docs/operations.md")
        let block = try #require(page.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```").first)
        // The file with the database URL does not exist here.
        let lines = block.split(separator: "\n").filter { !$0.hasPrefix("database_url_file: ") }
        #expect(try serve(lines.joined(separator: "\n")).listen == .tcp(host: "0.0.0.0", port: 8080))
    }

    // A user who copies the file removes a "#" and gets the default, or sees an example value.
    @Test func `the example file has every setting, commented out, with a valid value`() throws {
        let example = try text("examples/mortise.yaml")
        #expect(try serve(example) == serve(""))
        let members = example.split(separator: "\n").filter { $0.wholeMatch(of: /#[a-z_]+: .*/) != nil }
            .map { $0.dropFirst() }
        let names = members.compactMap { $0.split(separator: ":").first.map(String.init) }
        #expect(names == Settings.members.map { $0.isSecret ? $0.fileMember : $0.member })
        // Some settings need another that names a file, which does not exist here.
        let plain = members.filter { member in
            !member.contains("_file: /run/secrets/") && !["admin_email", "oidc_"].contains(where: member.hasPrefix)
        }
        let settings = try serve(plain.joined(separator: "\n"))
        let defaults = try serve("")
        #expect(settings.listen == defaults.listen && settings.log.level == defaults.log.level)
        #expect(settings.shutdownGrace == defaults.shutdownGrace && settings.drainDelay == defaults.drainDelay)
        // The default follows from the PostgreSQL server.
        #expect(settings.connections.lookupWorkspaces == 100 && defaults.connections.lookupWorkspaces == nil)
        #expect(settings.connections.managedWorkspaces == defaults.connections.managedWorkspaces)
        #expect(settings.quotas == defaults.quotas)
    }
}
