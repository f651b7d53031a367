@echo off
rem Runs the engine once on this agent: the text of one `bat` step. The Groovy side puts a UUID and the bundle's hash into it, nothing else.
rem What it promises is in tests/contract/README.md: the engine's log on stderr, one answer line on stdout, exit code 0.
rem Delayed expansion is off, so exclamation marks in a path stay; paths are expanded inside quotes only, so ampersands and blanks do no harm.
rem Nothing but cmd's own commands is used, so a PATH that lacks everything does no harm either.
setlocal EnableExtensions DisableDelayedExpansion

if not defined WORKSPACE_TMP set "WORKSPACE_TMP=%WORKSPACE%@tmp"
set "LAST9_FOLDER=%WORKSPACE_TMP%\last9"
rem An agent whose root folder was entered with slashes has them here as well; some of the commands below would take them for options.
set "LAST9_FOLDER=%LAST9_FOLDER:/=\%"
set "LAST9_REQUEST=%LAST9_FOLDER%\request-@REQUEST@.json"
set "LAST9_INCOMING=%LAST9_FOLDER%\incoming-@REQUEST@.pyz"
set "LAST9_BUNDLE=%LAST9_FOLDER%\last9-markers-@BUNDLE@.pyz"
set "LAST9_CACHE_DIR=%LAST9_FOLDER%"
set "LAST9_LAUNCHER=1"
rem Neither cmd nor what it starts shall run a program that merely lies in the workspace, and no Python launcher shall install a Python.
set "NoDefaultCurrentDirectoryInExePath=1"
set "PYTHON_MANAGER_AUTOMATIC_INSTALL=false"
set "PYLAUNCHER_ALLOW_INSTALL="

rem Ten branches may arrive at once with a copy each: the first rename counts, the others fail and their copies are removed below.
rem By `ren`, which never replaces: between taking away and putting in place there would be nothing for the others to run.
if exist "%LAST9_BUNDLE%" goto :placed
if exist "%LAST9_INCOMING%" ren "%LAST9_INCOMING%" "last9-markers-@BUNDLE@.pyz" >nul 2>&1
if not exist "%LAST9_BUNDLE%" set "LAST9_BUNDLE=%LAST9_INCOMING%"
:placed

rem A candidate may be a batch file (pyenv's), from which only `call` comes back. `call` expands its line once more: so the paths are handed to
rem it by name, and whatever percent signs they hold are never read. LAST9_PYTHON usually names a program, which needs no `call`.
set LAST9_STEP="%%LAST9_BUNDLE%%" step --request "%%LAST9_REQUEST%%"
set "LAST9_TRIED=python3, python, py -3"
if not defined LAST9_PYTHON goto :named
set "LAST9_PYTHON=%LAST9_PYTHON:"=%"
if not defined LAST9_PYTHON goto :named
set "LAST9_TRIED=the program that LAST9_PYTHON names, python3, python, py -3"
set "LAST9_KIND="
for %%P in ("%LAST9_PYTHON%") do set "LAST9_KIND=%%~xP"
set LAST9_COMMAND=call "%%LAST9_PYTHON%%"
if /i not "%LAST9_KIND%"==".exe" goto :ask_variable
set LAST9_COMMAND="%LAST9_PYTHON%"
set LAST9_STEP="%LAST9_BUNDLE%" step --request "%LAST9_REQUEST%"
:ask_variable
call :ask
if defined LAST9_FOUND goto :run

:named
set LAST9_STEP="%%LAST9_BUNDLE%%" step --request "%%LAST9_REQUEST%%"
set "LAST9_COMMAND=call python3"
call :ask
if defined LAST9_FOUND goto :run
set "LAST9_COMMAND=call python"
call :ask
if defined LAST9_FOUND goto :run
set "LAST9_COMMAND=call py -3"
call :ask
if defined LAST9_FOUND goto :run

rem LAST9_PYTHON's value is not repeated here: cmd cannot escape it for JSON safely.
set "LAST9_WARNING=this agent has no usable Python, so the deployment marker was not sent. Tried: %LAST9_TRIED%. Install Python 3.9 or newer on the agent, or set LAST9_PYTHON to the path of one."
echo [Last9] WARNING: %LAST9_WARNING%>&2
echo {"last9Answer":1,"delivered":false,"accepted":true,"deploymentId":null,"warnings":["%LAST9_WARNING%"],"failBuild":null,"noEngine":true}
goto :clean_up

:run
%LAST9_COMMAND% -I -S -X utf8 %LAST9_STEP% <nul
if "%ERRORLEVEL%"=="0" goto :clean_up
echo [Last9] The engine ended with exit code %ERRORLEVEL%.>&2
rem Where it has not even read the request, the bundle may have been cut short: the next marker brings a new one.
if exist "%LAST9_REQUEST%" del /f /q "%LAST9_BUNDLE%" >nul 2>&1

:clean_up
if exist "%LAST9_REQUEST%" del /f /q "%LAST9_REQUEST%" >nul 2>&1
if exist "%LAST9_INCOMING%" del /f /q "%LAST9_INCOMING%" >nul 2>&1
exit /b 0

rem Each candidate is asked first, since Python 2.7 knows no -I, and Windows' own `python` may be a stub that speaks of the Store (9009).
rem graphlib came with Python 3.9; nothing in this question can mean anything to a batch file that it passes through.
rem Compared as text: `if errorlevel 1` takes the negative codes of crashed programs for success.
:ask
set "LAST9_FOUND="
%LAST9_COMMAND% -I -S -c "import _ssl, graphlib, zlib" >nul 2>&1 <nul
if "%ERRORLEVEL%"=="0" set "LAST9_FOUND=1"
exit /b 0
