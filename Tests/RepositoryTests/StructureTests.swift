import FoundationEssentials
import Testing

/// The rules of docs/architecture.md that the compiler cannot check, checked in the text of the sources.
@Suite struct StructureTests {
    private let files: [SourceFile]

    init() throws {
        files = try SourceFile.all()
        try #require(files.count > 100)
    }

    @Test func `one statement in all sources writes events`() {
        let writers = files.flatMap { file in
            file.code.ranges(of: #/INSERT\s+INTO\s+auth\.key_events/#.ignoresCase()).map { _ in file.path }
        }
        #expect(writers == ["KeyStore/Events/AuditedTransaction.swift"])
    }

    // Another caller would bypass the caller's permissions, the Idempotency-Key and the fence.
    @Test func `one function in all sources changes keys`() {
        let callers = files.flatMap { file in file.code.ranges(of: "KeyStore.change(").map { _ in file.path } }
        #expect(callers == ["Service/Changes/KeyChanges.swift"])
        let writes =
            #/(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:auth\.(?:service_keys|client_keys|key_secrets)\b|\\\(table\.name\))/#
        #expect(files.filter { $0.code.contains(writes) }.map(\.path) == ["KeyStore/KeyStatements.swift"])
    }

    // A row of a user or a session that another target changes has no event, or another one.
    @Test func `people's rows are the business of one target`() {
        let tables = #/control\.(?:users|members|sessions|refresh_tokens|session_issuers|single_uses)\b/#
        #expect(Set(files.filter { $0.code.contains(tables) }.map(\.target)) == ["People"])
    }

    /// The targets that may contain SQL.
    ///
    /// All other targets must not contain SQL.
    private static let stores: Set<String> = [
        "LibPQ", "Postgres", "LocalPostgres", "Migrations", "KeyStore", "Tenancy", "People", "Fence",
        "Notices",
    ]

    @Test func `only the stores contain SQL`() {
        let calls = #/\bStatement\(|\.script\(/#
        let verbs = #/["\n]\s*(?:SELECT|WITH\s+\w+\s+AS|INSERT\s+INTO|UPDATE\s+\w+|DELETE\s+FROM|LISTEN|NOTIFY)\s/#
        let faults =
            files.filter { !Self.stores.contains($0.target) && ($0.code.contains(calls) || $0.code.contains(verbs)) }
            .map(\.path)
        #expect(faults == [])
        // The patterns find the existing statements.
        for pattern in [calls, verbs] {
            let targets = Set(files.filter { $0.code.contains(pattern) }.map(\.target))
            #expect(targets.isSuperset(of: ["KeyStore", "Tenancy", "People"]))
        }
    }

    // ThreadSanitizer reports races that do not exist around a `Mutex`, so a second kind of lock would hide the true ones.
    @Test func `every lock is a Locked`() {
        let users = files.filter { $0.code.contains(#/\b(?:Mutex|NIOLock\w*|pthread_mutex_\w+)\b/#) }.map(\.target)
        #expect(Set(users) == ["Locks"])
    }

    // A page without its template is empty.
    @Test func `the console has the template of each page`() throws {
        let registered = try Set(
            SourceFile.text(of: "Sources/Console/Views/Templates.swift").matches(of: #/\("([a-z-]+)", Pack/#)
                .map { String($0.1) }
        )
        let pages = files.filter { $0.target == "Console" }
            .flatMap { $0.code.matches(of: #/\Wpage\(\s*"([a-z-]+)"/#).map { String($0.1) } }
        #expect(registered.count > 50 && pages.count > 30)
        #expect(Set(pages).subtracting(registered) == [])
    }

    // The database's clock dates changes and decides verifications. With a clock of its own, a node whose clock is wrong would show
    // another status.
    @Test func `no surface reads a clock`() {
        let surfaces: Set<String> = ["NativeAPI", "FluxbaseAPI", "ClerkAPI", "BoltzAPI", "Console", "Surfaces"]
        let clocks = #/systemMicroseconds|\bDate\(|Clock\b|\.now\b/#
        let faults = files.filter { $0.code.contains(clocks) }.filter { surfaces.contains($0.target) }.map(\.path)
        #expect(faults == [])
        #expect(files.contains { $0.target == "Server" && $0.code.contains(clocks) })
    }

    // Foundation writes a UUID in capitals, and all answers and the lines of requests have lower case: a search for an id would find half.
    @Test func `the log has no id in capitals`() {
        let ids = #/: "\\\((?:\w+\.)*(?:id|\w+ID)\)"[,\]]/#
        #expect(files.filter { $0.code.contains(ids) }.map(\.path) == [])
        #expect(#"["workspace_id": "\(workspace.id)", "error": "\(error)"]"#.contains(ids))
    }

    /// The words that stand at the start of a clause without a subject.
    private static let clauseWords: Set<String> = [
        "What", "Who", "Whose", "Whom", "Whether", "How", "When", "Where", "Which", "Why",
    ]

    // A reader searches for the noun, and Quick Help shows the first sentence alone.
    @Test func `every paragraph and every tag of documentation begins with its subject`() throws {
        let tag = #/^ *- (?:Parameter )?`?\w+`?: (\w+)/#
        var faults: [String] = []
        for folder in ["Sources", "Tests", "Fuzz"] {
            for file in try SourceFile.texts(in: folder) {
                var isStart = true
                for (number, line) in file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                    let line = line.drop { $0 == " " }
                    guard line.hasPrefix("///") else {
                        isStart = true
                        continue
                    }
                    let words = line.dropFirst(3).split(separator: " ", maxSplits: 1)
                    let tagged = line.dropFirst(3).firstMatch(of: tag)?.1
                    let starts = [isStart ? words.first : nil, tagged].compactMap(\.self)
                    if starts.contains(where: { Self.clauseWords.contains(String($0)) }) {
                        faults.append("\(folder)/\(file.path):\(number + 1)")
                    }
                    isStart = words.isEmpty
                }
            }
        }
        #expect(faults == [])
    }

    // A reader chooses a page by its title in the list, and must find there when the decision no longer holds.
    @Test func `each decision has the title that the list shows, and says when to reconsider it`() throws {
        let list = try SourceFile.text(of: "docs/decisions/README.md")
        let rows = list.matches(of: #/(?m)^\| \[(\d{4})\]\(([^)]+\.md)\) \| (.+) \|$/#)
        #expect(rows.count > 25)
        #expect(try SourceFile.pages(in: "docs/decisions") == rows.map { String($0.2) } + ["README.md"])
        for row in rows {
            let page = try SourceFile.text(of: "docs/decisions/\(row.2)")
            #expect(page.hasPrefix("# \(row.1): \(row.3)\n"), "\(row.2) has another title than the list")
            #expect(page.contains("\n\n**Reconsider** "), "\(row.2) does not say when to reconsider the decision")
        }
    }

    /// The folders of Service, each with the folders that it may use.
    private static let folders: [String: Set<String>] = [
        "Core": [],
        "Principals": ["Core"],
        "Passwords": ["Core"],
        "Sessions": ["Core", "Principals", "Passwords"],
        "Access": ["Core", "Principals", "Sessions"],
        "Idempotency": ["Core", "Principals"],
        "Changes": ["Core", "Principals", "Access", "Idempotency"],
        "Keys": ["Core", "Principals", "Access", "Idempotency", "Changes"],
        "Tenants": ["Core", "Principals", "Access", "Idempotency", "Changes", "Keys"],
        "Members": ["Core", "Principals", "Passwords", "Sessions", "Access", "Idempotency", "Changes", "Keys"],
        "SessionIssuers": ["Core", "Principals", "Sessions", "Access", "Idempotency", "Changes"],
        "Webhooks": ["Core", "Principals", "Access", "Idempotency", "Changes"],
        "OpenIDConnect": ["Core", "Principals", "Sessions", "SessionIssuers"],
        "Leaks": ["Core", "Principals", "Passwords", "Access", "Changes"],
        "Bootstrap": ["Core", "Principals", "Keys", "Members", "Changes"],
    ]

    @Test func `docs/architecture.md describes every folder of the sources`() throws {
        // A row names a target and folders; a row without a target goes on with the one above it. Service has a table of its own.
        var described: [String: Set<Substring>] = [:]
        var target = "Service"
        for line in try SourceFile.text(of: "docs/architecture.md").split(separator: "\n") {
            if line.hasPrefix("## ") { target = "Service" }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.matches(of: #/`(\w+)[^`]*`/#).map { $0.1 } }
            guard cells.count >= 4 else { continue }
            if cells.count == 4 {
                described[target, default: []].formUnion(cells[1])
            } else {
                target = cells[1].first.map(String.init) ?? target
                described[target, default: []].formUnion(cells[2])
            }
        }
        let folders = Set(files.filter { !$0.folder.isEmpty }.map { [$0.target, $0.folder] })
        try #require(folders.count > 80)
        let missing = folders.filter { described[$0[0]]?.contains($0[1][...]) != true }
        #expect(missing.map { $0.joined(separator: "/") }.sorted() == [])
    }

    @Test func `the folders of Service depend on each other in one direction`() throws {
        let service = files.filter { $0.target == "Service" && !$0.folder.isEmpty }
        #expect(Set(service.map(\.folder)) == Set(Self.folders.keys))
        var home: [String: String] = [:]
        let declaration = #/^(?:public |package )?(?:final )?(?:struct|class|enum|protocol|actor) (\w+)/#
            .anchorsMatchLineEndings()
        for file in service {
            for match in file.code.matches(of: declaration) { home[String(match.1)] = file.folder }
        }
        try #require(home.count > 40)
        for file in service {
            let allowed = (Self.folders[file.folder] ?? []).union([file.folder])
            let words = Set(file.code.matches(of: #/\b[A-Z]\w+\b(?!-)/#).map { String($0.0) })
            for word in words {
                guard let owner = home[word] else { continue }
                #expect(allowed.contains(owner), "\(file.path) uses \(word) of \(owner)")
            }
        }
    }
}
