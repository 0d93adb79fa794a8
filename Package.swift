// swift-tools-version: 6.2
import PackageDescription

/// The language mode and the checks that every target of Mortise is built with.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The two targets that hold pointers say so at every use.
let pointerSettings = settings + [.strictMemorySafety()]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let inMemoryTracing = Target.Dependency.product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "mortise",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "mortise", targets: ["mortise"]),
        .library(name: "MortiseClient", targets: ["MortiseClient"]),
        .library(name: "Postgres", targets: ["Postgres"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "LibPQ", dependencies: ["CLibPQ"], swiftSettings: pointerSettings),
        .target(name: "Postgres", dependencies: ["LibPQ", deque, log, tracing], swiftSettings: pointerSettings),
        .target(name: "LocalPostgres", dependencies: [log, subprocess], swiftSettings: settings),
        .target(name: "JSON", swiftSettings: settings),
        .target(name: "Keys", dependencies: [crypto], swiftSettings: settings),
        .target(
            name: "SQLFiles",
            path: "sql",
            exclude: ["README.md"],
            resources: [.embedInCode("control"), .embedInCode("workspace")],
            swiftSettings: settings
        ),
        .target(name: "Migrations", dependencies: ["Postgres", crypto], swiftSettings: settings),
        .target(
            name: "Tenancy",
            dependencies: ["JSON", "Keys", "Migrations", "Postgres", "SQLFiles", log],
            swiftSettings: settings
        ),
        .target(name: "KeyStore", dependencies: ["Keys", "Postgres"], swiftSettings: settings),
        .target(
            name: "Verification",
            dependencies: ["KeyStore", "Keys", "Postgres", "Tenancy", log],
            swiftSettings: settings
        ),
        .target(
            name: "Service",
            dependencies: [
                "JSON", "KeyStore", "Keys", "Postgres", "Tenancy", "Verification", cryptoExtras, jwtKit, log, nioPosix,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Server",
            dependencies: [
                "JSON", "KeyStore", "Keys", "Migrations", "Postgres", "Service", "Tenancy", "Verification",
                asyncHTTPClient, coreMetrics, httpTypes, hummingbird, lifecycle, log, nioCore, nioHTTP1, nioPosix,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "MortiseClient",
            dependencies: ["JSON", asyncHTTPClient, nioCore, nioHTTP1, nioPosix],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "mortise",
            dependencies: [
                "JSON", "Keys", "LocalPostgres", "Migrations", "MortiseClient", "Postgres", "Server", "Service",
                "Tenancy",
                arguments, log, nioCore, nioHTTP1, nioPosix,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "TestSupport",
            dependencies: ["LocalPostgres", "Postgres", log],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "HTTPTestSupport",
            dependencies: [nioCore, nioHTTP1, nioPosix],
            path: "Tests/HTTPTestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "ServerTestSupport",
            dependencies: [
                "JSON", "Keys", "Postgres", "Server", "Service", "Tenancy", "TestSupport", cryptoExtras, lifecycle, log,
                nioCore,
            ],
            path: "Tests/ServerTestSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "HTTPTestSupport", "JSON", "Keys", "LocalPostgres", "Migrations", "MortiseClient", "Postgres",
                "SQLFiles",
                "Server", "Service", "TestSupport", "mortise", asyncHTTPClient, log, nioCore, nioHTTP1, nioPosix,
                subprocess,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: settings),
        .testTarget(name: "KeysTests", dependencies: ["Keys", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "LocalPostgresTests",
            dependencies: ["LocalPostgres", log, subprocess],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MigrationsTests",
            dependencies: ["Migrations", "Postgres", "SQLFiles", "TestSupport", log],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MortiseClientTests",
            dependencies: [
                "HTTPTestSupport", "JSON", "MortiseClient", "Server", "ServerTestSupport", "TestSupport",
                asyncHTTPClient,
                nioCore, nioHTTP1,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PostgresTests",
            dependencies: ["LibPQ", "LocalPostgres", "Postgres", "TestSupport", inMemoryTracing, log, tracing],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TenancyTests",
            dependencies: [
                "JSON", "Keys", "LocalPostgres", "Migrations", "Postgres", "SQLFiles", "Tenancy", "TestSupport", log,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "HTTPTestSupport", "JSON", "KeyStore", "Keys", "LocalPostgres", "Postgres", "Server",
                "ServerTestSupport",
                "Service", "Tenancy", "TestSupport", "Verification", asyncHTTPClient, crypto, cryptoExtras, httpTypes,
                hummingbird, lifecycle, log, nioCore, nioPosix, subprocess,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServerFoundationTests",
            dependencies: [
                "JSON", "Server", coreMetrics, httpTypes, hummingbird, hummingbirdTesting, log, nioCore, nioEmbedded,
            ],
            swiftSettings: settings
        ),
    ]
)

// The benchmarks join only when they are asked for: nobody else should have to build them.
if Context.environment["MORTISE_BENCHMARKS"] != nil {
    package.targets += [
        .executableTarget(
            name: "look-up-cost",
            dependencies: ["Postgres", log],
            path: "Benchmarks/look-up-cost",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "mortise-bench",
            dependencies: [
                "KeyStore", "Keys", "LocalPostgres", "Postgres", asyncHTTPClient, log, nioCore, nioHTTP1, subprocess,
            ],
            path: "Benchmarks/mortise-bench",
            swiftSettings: settings
        ),
    ]
}

// The documentation plugin joins only when the documentation is built.
if Context.environment["MORTISE_DOCS"] != nil {
    package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}
