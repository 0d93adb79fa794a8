import FoundationEssentials
import Testing

/// Package.swift against the imports of its targets.
@Suite struct ManifestTests {
    /// A target of the manifest that has Swift files.
    private struct Target {
        let name: String
        let folder: String
        let dependencies: Set<String>
    }

    /// The targets, and the names of all modules that they can declare.
    private static func targets() throws -> (targets: [Target], modules: Set<String>) {
        let manifest = try SourceFile.text(of: "Package.swift")
        var products: [String: String] = [:]
        for match in manifest.matches(of: #/let (\w+) = Target\.Dependency\.product\(name: "(\w+)"/#) {
            products[String(match.1)] = String(match.2)
        }
        let declaration = #/\.(target|testTarget|executableTarget)\(\s*name: "([^"]+)"(.*?)swiftSettings:/#
            .dotMatchesNewlines()
        var targets: [Target] = []
        for match in manifest.matches(of: declaration) {
            let (kind, name, body) = (match.1, String(match.2), match.3)
            let list = body.firstMatch(of: #/dependencies: \[([^\]]*)\]/#)?.1 ?? ""
            let items = list.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
            let dependencies = items.filter { !$0.isEmpty }
                .map { $0.hasPrefix("\"") ? $0.replacing("\"", with: "") : products[$0] ?? $0 }
            let path = body.firstMatch(of: #/path: "([^"]+)"/#)?.1
            let folder = path.map(String.init) ?? "\(kind == "testTarget" ? "Tests" : "Sources")/\(name)"
            targets.append(Target(name: name, folder: folder, dependencies: Set(dependencies)))
        }
        let libraries = manifest.matches(of: #/\.systemLibrary\(name: "(\w+)"/#).map { String($0.1) }
        return (targets, Set(targets.map(\.name) + libraries + products.values))
    }

    // SwiftPM's check of imports is content with the dependency of a dependency. A surface could import another one in this way.
    @Test func `every target declares the modules that it imports, and no others`() throws {
        let (targets, modules) = try Self.targets()
        try #require(targets.count > 50)
        let line = #/^ *(?:@\w+ )?(?:public |package )?import (\w+)/#.anchorsMatchLineEndings()
        var faults: [String] = []
        for target in targets {
            var imports: Set<String> = []
            for file in try SourceFile.texts(in: target.folder) {
                imports.formUnion(file.text.matches(of: line).map { String($0.1) })
            }
            faults += imports.intersection(modules).subtracting(target.dependencies).map { "\(target.name) uses \($0)" }
            faults += target.dependencies.subtracting(imports).map { "\(target.name) does not use \($0)" }
        }
        #expect(faults.sorted() == [])
    }
}
